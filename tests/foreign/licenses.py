"""The Python clients of Polar and Dodo Payments against our endpoints: keys and devices that were sold there go on here.

    tests/foreign/.venv/bin/python tests/foreign/licenses.py

Their loaders refuse an answer that lacks a field, so that every one of it is looked at. Talks to 127.0.0.1 only.
"""

import importlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest
import urllib.parse

import dodopayments

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("LATCHKEY_BINARY", str(ROOT / "target" / "debug" / "latchkey"))
ORGANIZATION = "22222222-2222-4222-8222-222222222222"
KEY = "LUMEN-1C285B2D-6CE6-4BC7-B8BE-ADB6A7E304DA"
OLD = "55555555-5555-4555-8555-555555555555"
POLAR = [{
    "id": "11111111-1111-4111-8111-111111111111", "organization_id": ORGANIZATION,
    "customer_id": "33333333-3333-4333-8333-333333333333", "benefit_id": "44444444-4444-4444-8444-444444444444",
    "customer": {"email": "ada@example.com", "name": "Ada"}, "key": KEY, "status": "granted", "limit_activations": 2,
    "usage": 0, "limit_usage": None, "created_at": "2024-01-24T14:15:07Z", "expires_at": None,
    "activations": [{"id": OLD, "label": "Old Mac", "meta": {}, "created_at": "2024-02-01T00:00:00Z"}],
}]
DODO = [
    {"items": [{"id": "lic_1", "business_id": "bus_1", "customer_id": "cus_1", "product_id": "pdt_1", "key": "DODO-1",
                "status": "active", "activations_limit": 1, "instances_count": 0, "created_at": "2024-01-24T14:15:07Z"}]},
    {"items": [{"customer_id": "cus_1", "email": "ada@example.com", "name": "Ada"}]},
]


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="latchkey-licenses-")
        cls.server = subprocess.Popen(
            [BINARY, "demo", "--json", "--listen", "127.0.0.1:0", "--data", cls.folder], stdout=subprocess.PIPE,
            cwd=cls.folder,
        )
        cls.shop = json.loads(cls.server.stdout.readline())
        for system, documents in (("polar", POLAR), ("dodo", DODO)):
            file = pathlib.Path(cls.folder) / f"{system}.json"
            file.write_text("\n".join(json.dumps(document) for document in documents))
            subprocess.run(
                [BINARY, "import", system, str(file), "--plan", "lumen-personal", "--data", cls.folder], check=True,
                stdout=subprocess.DEVNULL, cwd=cls.folder,
            )

    @classmethod
    def tearDownClass(cls):
        cls.server.kill()
        cls.server.wait()
        cls.server.stdout.close()
        shutil.rmtree(cls.folder, ignore_errors=True)

    def base(self, system):
        return urllib.parse.urljoin(self.shop["storefront"], f"compat/{system}")

    def test_polar(self):
        for edition in ("v2026_04", "v2026_10", "v2027_01"):
            polar = importlib.import_module(f"polar.{edition}")
            errors = importlib.import_module(f"polar.{edition}.errors")
            asked = {"key": KEY, "organization_id": ORGANIZATION}
            with self.subTest(edition), polar.Polar("none", base_url=self.base("polar")) as client:
                keys = client.customer_portal.license_keys
                known = keys.validate(**asked, activation_id=OLD)
                self.assertEqual((known.status, known.activation.label), ("granted", "Old Mac"))
                taken = keys.activate(**asked, label="New Mac", meta={"os": "15"})
                self.assertEqual((taken.label, taken.meta, taken.license_key.key), ("New Mac", {"os": "15"}, KEY))
                with self.assertRaises(errors.NotPermitted) as refused:
                    keys.activate(**asked, label="Third Mac")
                self.assertIn("License key activation limit already reached", str(refused.exception))
                keys.deactivate(**asked, activation_id=taken.id)
                with self.assertRaises(errors.ResourceNotFound):
                    keys.validate(**asked, activation_id=taken.id)

    def test_dodo(self):
        client = dodopayments.DodoPayments(bearer_token="none", base_url=self.base("dodo"), max_retries=0)
        taken = client.licenses.activate(license_key="DODO-1", name="Mac")
        self.assertEqual((taken.name, taken.customer.email), ("Mac", "ada@example.com"))
        with self.assertRaises(dodopayments.UnprocessableEntityError):
            client.licenses.activate(license_key="DODO-1", name="Other")
        asked = {"license_key": "DODO-1", "license_key_instance_id": taken.id}
        self.assertTrue(client.licenses.validate(**asked).valid)
        client.licenses.deactivate(**asked)
        self.assertFalse(client.licenses.validate(**asked).valid)


if __name__ == "__main__":
    unittest.main()
