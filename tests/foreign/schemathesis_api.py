"""Schemathesis reads the API's own description and asks whatever it can think of, right and wrong, of a demo shop; every
answer must be as described, and no question may make the server fail.
"""

import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "clients"))

from shop import Shop  # noqa: E402

EXAMPLES = os.environ.get("LATCHKEY_SCHEMATHESIS_EXAMPLES", "25")


def main():
    with Shop() as shop:
        # Something to find: an order with its payment, licenses and events.
        shop.buy("lumen-pro", 2)
        sys.exit(
            subprocess.run(
                [
                    str(pathlib.Path(sys.executable).parent / "schemathesis"),
                    "--config-file",
                    str(HERE / "schemathesis.toml"),
                    "run",
                    f"{shop.url}/openapi.json",
                    "--header",
                    f"Authorization: Bearer {shop.api_key}",
                    "--checks",
                    "all",
                    "--max-examples",
                    EXAMPLES,
                    "--seed",
                    "1",
                    "--no-shrink",
                    "--continue-on-failure",
                    "--suppress-health-check",
                    "all",
                    "--no-color",
                ],
                cwd=shop.folder,
                check=False,
            ).returncode
        )


if __name__ == "__main__":
    main()
