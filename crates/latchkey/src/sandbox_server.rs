//! `sandbox`: the simulated gateway alone.

use std::process::ExitCode;

use crate::config::Settings;
use crate::output::Output;
use crate::wiring;

/// Serves the simulated gateway until told to stop.
pub(crate) async fn run(settings: &Settings, output: &Output) -> anyhow::Result<ExitCode> {
    let listener = wiring::listen(settings.listen)?;
    let address = listener.local_addr()?;
    std::fs::create_dir_all(&settings.data)?;
    let base_url = settings.public_url(address);
    let lines = format!(
        "The simulated gateway answers on {base_url}\n  API      {base_url}/v1 (any key that begins with sk_test_)\n  truth    {base_url}/_control/truth\n  faults   POST {base_url}/_control/faults\n  clock    POST {base_url}/_control/clock\n\
         A shop of mode sandbox is connected so (docs/sandbox.md):\n  \
         echo '{{\"secret_key\":\"sk_test_mine\",\"webhook_secret\":\"whsec_later\",\"base_url\":\"{base_url}\"}}' | latchkey gateways connect stripe\n  \
         curl -u sk_test_mine: {base_url}/v1/webhook_endpoints -d url=HOOK -d 'enabled_events[]=*'   # HOOK as connect prints it; the answer has the secret"
    );
    // Whoever reads what is printed may tell the process to stop at once.
    let mut shutdown = wiring::shutdown_signal()?;
    output.result(&serde_json::json!({ "url": base_url, "listen": address }), &lines)?;
    let config = sandbox::Config {
        data_dir: Some(settings.data.clone()),
        base_url: Some(base_url),
        ..sandbox::Config::default()
    };
    sandbox::serve(listener, config, async move {
        let _ = shutdown.wait_for(|stop| *stop).await;
    })
    .await?;
    Ok(ExitCode::SUCCESS)
}
