"""Keygen's client against our endpoints: a license, a device and a key pair of the old days go on here.

The account's key pair is taken in before the shop starts, the licenses while it runs. The client, `keygen_rs`, knows
the base address, the account, the product and the public key, and verifies the signature of every answer. It verifies
a key that the shop has signed as well, by itself and as what the shop says of it.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
LATCHKEY = os.environ.get("LATCHKEY_BINARY", ROOT / "target/debug/latchkey")
CLIENT = os.environ.get("KEYGEN_CLIENT", ROOT / "target/keygen-client/debug/keygen-client")

# The first test vector of RFC 8032 §7.1: a seed, and the public key that the app was shipped with.
SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
PUBLIC_KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"

ACCOUNT = "40000000-0000-4000-8000-000000000001"
PRODUCT = "30000000-0000-4000-8000-000000000001"
LICENSE = "10000000-0000-4000-8000-000000000001"
MACHINE = "20000000-0000-4000-8000-000000000001"
KEY = "C1B6DE-39A6E3-DE1529-8559A0-4AF593-V3"
OLD_DEVICE = "AA:BB"


# A plan whose keys say what was bought, beside what the shop sells already.
STUDIO = """
[[product]]
slug = "studio"
name = "Studio"

[[product.plan]]
slug = "studio"
name = "Studio"
prices = { EUR = "99.00" }
features = ["EXPORT"]
fulfilment = "signed_key"
"""


def post(shop, path, body, headers):
    """What a POST is answered with."""
    url = shop["storefront"].rstrip("/") + path
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"} | headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def signed_key(shop):
    """A key that the shop signed, and its product as Keygen's clients name it."""
    auth = {"authorization": f"Bearer {shop['api_key']}"}
    batch = post(shop, "/v1/licenses/batches", {"plan": "studio", "licenses": 1, "reason": "A test"}, auth)
    with urllib.request.urlopen(urllib.request.Request(batch["keys_url"], headers=auth)) as answer:
        key = answer.read().decode().splitlines()[1].split(",")[0]
    told = post(shop, "/compat/keygen/v1/licenses/actions/validate-key", {"meta": {"key": key}}, {})
    return key, told["data"]["relationships"]["product"]["data"]["id"]


def one(kind, name):
    return {"data": {"type": kind, "id": name}}


def export():
    """What the script of docs/migrations/keygen.md saves: one page a line."""
    license = {
        "id": LICENSE,
        "type": "licenses",
        "attributes": {"key": KEY, "status": "ACTIVE", "uses": 0, "suspended": False, "floating": True,
                       "maxMachines": 2, "metadata": {}, "created": "2024-01-24T14:15:07.000Z"},
        "relationships": {"account": one("accounts", ACCOUNT), "product": one("products", PRODUCT),
                          "policy": one("policies", "p"), "owner": one("users", "u"),
                          "machines": {"meta": {"count": 1}}},
    }
    machine = {
        "id": MACHINE,
        "type": "machines",
        "attributes": {"fingerprint": OLD_DEVICE, "name": "Old Mac", "created": "2024-02-24T14:15:07.000Z"},
        "relationships": {"license": one("licenses", LICENSE)},
    }
    user = {"id": "u", "type": "users", "attributes": {"fullName": "Ada", "email": "ada@example.com"}}
    entitlement = {"id": "e", "type": "entitlements", "attributes": {"name": "Export", "code": "EXPORT"}}
    pages = [{"data": [license]}, {"data": [machine]}, {"data": [user]}, {"license": LICENSE, "data": [entitlement]}]
    return "\n".join(json.dumps(page) for page in pages)


def main():
    with tempfile.TemporaryDirectory(prefix="latchkey-keygen-") as name:
        folder = pathlib.Path(name)
        data = ["--data", folder / "data", "--json"]
        seed, file = folder / "account.key", folder / "keygen.json"
        seed.write_text(SEED)
        file.write_text(export())
        (folder / "data").mkdir()
        subprocess.run([LATCHKEY, "signing-keys", "import", seed, "--at-once", *data], check=True,
                       stdout=subprocess.DEVNULL)
        demo = subprocess.Popen([LATCHKEY, "demo", "--listen", "127.0.0.1:0", *data], stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL)
        try:
            shop = json.loads(demo.stdout.readline())
            run = subprocess.run([LATCHKEY, "import", "keygen", file, "--plan", "lumen-personal", *data], check=True,
                                 stdout=subprocess.PIPE)
            report = json.loads(run.stdout)
            assert (report["imported"], report["refused"]) == (1, []), report
            studio = folder / "studio.toml"
            studio.write_text(STUDIO)
            subprocess.run([LATCHKEY, "apply", studio, *data], check=True, stdout=subprocess.DEVNULL)
            base = shop["storefront"].rstrip("/") + "/compat/keygen"
            signed = signed_key(shop)
            subprocess.run([CLIENT, base, ACCOUNT, PRODUCT, PUBLIC_KEY, KEY, OLD_DEVICE, *signed], check=True)
        finally:
            demo.kill()
            demo.wait()


if __name__ == "__main__":
    sys.exit(main())
