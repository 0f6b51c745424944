"""REM and its relatives: the corruption goes into channels that are dropped."""
