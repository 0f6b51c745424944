"""One command for a bare machine with a GPU: agreement with a processor, speed, and the REM paper's cells on CIFAR-10."""
