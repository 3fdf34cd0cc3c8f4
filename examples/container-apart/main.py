# The main container's program.
import time

time.sleep(1000)
