"""A program with a license, on the command line: `sample.py <shop> <product> <file> <command> [key]`. Prints the
outcome as one line of JSON; ends with 0 when the license works, or the seat was given back.
"""

import json
import os
import sys

from latchkey_client import Client, FileStorage, KeySet, Settings

NAMED = ("activate", "request_activation")
GIVEN = ("install", "check_revocations")
COMMANDS = (*NAMED, *GIVEN, "validate", "heartbeat", "status", "refresh", "deactivate", "request_release")


def main(shop, product, file, command, key=""):
    keys = os.environ.get("LATCHKEY_KEYS")
    # A program that is sold has these keys built in; this one is told where they are.
    keys = keys and KeySet.parse(open(keys, encoding="utf-8").read())
    license = Client(Settings(shop, product, "sample-device-python", keys), FileStorage(file))
    if command not in COMMANDS:
        sys.exit(f"{command}: not one of {', '.join(COMMANDS)}")
    act = getattr(license, command)
    if command in NAMED:
        outcome = act(key, "The Python sample")
    elif command in GIVEN:
        with sys.stdin if key == "-" else open(key, encoding="utf-8") as text:
            outcome = act(text.read())
    else:
        outcome = act()
    told = {name: value for name, value in vars(outcome).items() if name != "license"}
    told["features"] = None if outcome.license is None else outcome.license.features
    print(json.dumps(told))
    return 0 if outcome.usable or outcome.state == "released" else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
