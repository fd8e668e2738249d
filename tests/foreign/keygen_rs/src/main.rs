//! An app that was shipped with Keygen's client, against our endpoints: base address, account, product, public key and
//! key are what it is started with, and nothing of it knows that the server is another. Signatures are verified.

use keygen_rs::config::{set_config, KeygenConfig};
use keygen_rs::errors::Error;
use keygen_rs::license::{LicenseCheckoutOpts, LicenseValidationRequest, LicenseValidationScope, SchemeCode};
use keygen_rs::machine::MachineCheckoutOpts;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [api_url, account, product, public_key, key, old_device, signed, its_product] = <[String; 8]>::try_from(arguments)
        .expect("api_url account product public_key key old_device signed_key its_product");
    let config = KeygenConfig {
        api_url,
        account,
        product: product.clone(),
        public_key: Some(public_key.clone()),
        license_key: Some(key.clone()),
        ..KeygenConfig::default()
    };
    set_config(config.clone()).expect("a configuration");

    let scope = LicenseValidationScope {
        product: Some(product),
        fingerprint: Some(old_device.clone()),
        entitlements: Some(vec!["EXPORT".to_owned()]),
        ..LicenseValidationScope::default()
    };
    let request = LicenseValidationRequest { nonce: Some(7), scope };
    let told = keygen_rs::validate(&request).await.expect("an answer that is signed");
    assert_eq!((told.meta.code.as_str(), told.meta.nonce), ("VALID", Some(7)), "a device of the old days");
    let license = told.license.expect("a license").with_config(config.clone());
    assert_eq!(license.key, key);

    let unknown = LicenseValidationRequest::for_fingerprint("new-device".to_owned());
    let told = license.validate_key(&unknown).await.expect("an answer");
    assert_eq!(told.meta.code, "FINGERPRINT_SCOPE_MISMATCH");

    let machine = license.activate("new-device", &[]).await.expect("a seat");
    assert_eq!(machine.fingerprint, "new-device");
    let beat = machine.ping().await.expect("a heartbeat");
    assert_eq!(beat.heartbeat_status, "ALIVE");
    match license.activate("third-device", &[]).await {
        Err(Error::Api(document)) => {
            let code = document.primary().and_then(|error| error.code().map(str::to_owned));
            assert_eq!(code.as_deref(), Some("MACHINE_LIMIT_EXCEEDED"));
        }
        other => panic!("a third device on two seats: {other:?}"),
    }
    assert_eq!(license.machines(None).await.expect("machines").data.len(), 2);
    let entitlements = license.entitlements(None).await.expect("entitlements").data;
    assert!(entitlements.iter().any(|entitlement| entitlement.code == "EXPORT"));

    let options = LicenseCheckoutOpts::with_ttl(86_400).with_encrypt(true);
    let file = license.checkout(&options).await.expect("a license file");
    file.verify().expect("a file that is signed");
    assert_eq!(file.decrypt(&key).expect("a file for this key").license.key, key);
    let file = machine.checkout(&MachineCheckoutOpts::with_ttl(86_400)).await.expect("a machine file");
    file.verify().expect("a file that is signed");
    let opened = file.decrypt(&format!("{key}new-device")).expect("a file for this device");
    assert_eq!(opened.machine.fingerprint, "new-device");

    license.deactivate(&machine.id).await.expect("the seat is given back");
    assert_eq!(license.machines(None).await.expect("machines").data.len(), 1);

    // A key that is signed says by itself what was bought, and the shop says the same of it.
    let dataset = keygen_rs::verify(SchemeCode::Ed25519Sign, &signed).expect("a key that is signed");
    let dataset = String::from_utf8(dataset).expect("JSON");
    assert!(dataset.contains(r#""features":["EXPORT"]"#), "{dataset}");
    let changed = signed.replacen("key/e", "key/f", 1);
    assert!(keygen_rs::verify(SchemeCode::Ed25519Sign, &changed).is_err(), "a key that nobody signed was believed");
    let of_it = KeygenConfig { product: its_product, license_key: Some(signed.clone()), ..config.clone() };
    set_config(of_it.clone()).expect("a configuration");
    let asked = LicenseValidationRequest { nonce: Some(8), scope: LicenseValidationScope::default() };
    let told = keygen_rs::validate(&asked).await.expect("an answer that is signed");
    let license = told.license.expect("a license").with_config(of_it);
    assert_eq!((told.meta.code.as_str(), &license.key), ("VALID", &signed));
    assert_eq!(license.scheme, Some(SchemeCode::Ed25519Sign));
    assert_eq!(license.verify().expect("a license whose key is signed"), dataset.into_bytes());

    // Another key than the one that signs: nothing is believed.
    let last = if public_key.ends_with('0') { '1' } else { '0' };
    let other = format!("{}{last}", &public_key[..public_key.len() - 1]);
    let distrustful = KeygenConfig { public_key: Some(other), ..config };
    set_config(distrustful).expect("a configuration");
    assert!(keygen_rs::validate(&request).await.is_err(), "an answer that somebody else signed was believed");
    println!("keygen-rs: validated, activated, pinged, refused, checked out, deactivated; every answer and a signed key verified.");
}
