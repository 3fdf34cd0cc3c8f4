# Tests of an application that needs both servers.
import os
import subprocess
import time


def test_an_order_is_stored(postgres, redis):
    psql = ["psql", "-qtA", "-U", "postgres", postgres, "-c"]
    subprocess.run([*psql, "create table orders as select generate_series(1, 1000) as n"], check=True)
    subprocess.run(["redis-cli", "-s", redis, "set", "last", "1000"], check=True, capture_output=True)
    total = subprocess.run([*psql, "select sum(n) from orders"], check=True, capture_output=True, text=True)
    assert total.stdout.strip() == "500500"


def test_that_takes_long(postgres, redis, folder):
    print("\nanchor", os.getpid())
    print("folder", folder)
    print("ready", flush=True)
    time.sleep(1000)
