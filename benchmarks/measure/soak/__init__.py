"""Work that is disturbed again and again: kills, full and slow disks, locks, clocks; what is lost, and what comes out."""
