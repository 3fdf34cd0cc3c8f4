# The pod's job.
import time

time.sleep(1000)
