"""What can be measured; each module is a command of the runner or helps one."""
