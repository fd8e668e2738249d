"""A program with a license, on the command line: `sample.py <shop> <product> <file> <command> [key]`. Prints the
outcome as one line of JSON; ends with 0 when the license works, or the seat was given back.
"""

import json
import sys

from latchkey_client import Client, FileStorage, Settings

COMMANDS = ("activate", "validate", "heartbeat", "status", "refresh", "deactivate")


def main(shop, product, file, command, key=""):
    license = Client(Settings(shop, product, "sample-device-python"), FileStorage(file))
    if command not in COMMANDS:
        sys.exit(f"{command}: not one of {', '.join(COMMANDS)}")
    act = getattr(license, command)
    outcome = act(key, "The Python sample") if command == "activate" else act()
    told = {name: value for name, value in vars(outcome).items() if name != "license"}
    told["features"] = None if outcome.license is None else outcome.license.features
    print(json.dumps(told))
    return 0 if outcome.usable or outcome.state == "released" else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
