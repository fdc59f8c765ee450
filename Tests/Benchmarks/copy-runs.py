"""Usage: copy-runs.py STATE COUNT

Fills a state folder with copies of its newest run, each with an id, a number and a chain of its own, until there are COUNT
runs: to measure what many runs cost without waiting for each of them.
"""

import hashlib
import os
import re
import shutil
import sys

runs, count = sys.argv[1] + "/runs", int(sys.argv[2])
ids = sorted(name for name in os.listdir(runs) if not name.startswith("."))
model = ids[-1]
with open(runs + "/.number") as file:
    number = int(file.read())
with open(f"{runs}/{model}/journal.jsonl") as file:
    lines = file.read().splitlines()
digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

for copy in range(count - len(ids)):
    number += 1
    # The time of the model, then what is greater than its random part, and counts.
    identity = model[:10] + "ZZZ" + "".join(digits[copy >> 5 * place & 31] for place in range(12, -1, -1))
    shutil.copytree(f"{runs}/{model}", f"{runs}/{identity}")
    prev = "0" * 64
    with open(f"{runs}/{identity}/journal.jsonl", "w") as journal:
        for line in lines:
            line = line.replace(model, identity)
            line = re.sub('"prev":"[0-9a-f]{64}"', f'"prev":"{prev}"', line, count=1)
            line = re.sub('"number":[0-9]+', f'"number":{number}', line, count=1)
            prev = hashlib.sha256(line.encode()).hexdigest()
            journal.write(line + "\n")

with open(runs + "/.number", "w") as file:
    file.write(f"{number}\n")
