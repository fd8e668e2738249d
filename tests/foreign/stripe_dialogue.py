"""Speaks with crates/gateways/examples/stripe_dialogue.rs: a question and an answer, each one line of JSON."""

import json
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMAND = ["cargo", "run", "--quiet", "--package", "gateways", "--example", "stripe_dialogue"]


class Adapter:
    """The Stripe adapter, as a process that answers until it is closed."""

    def __enter__(self):
        self.process = subprocess.Popen(
            COMMAND, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def ask(self, **question):
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"the adapter ended at {json.dumps(question)[:300]}")
        return json.loads(answer)
