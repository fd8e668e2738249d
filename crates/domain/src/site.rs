//! Web sites as EDD Software Licensing counts them: one seat a site, by its address.

use std::net::IpAddr;

/// The address as it is kept and compared there: small letters, without the protocol, `www.` and a port, with a slash
/// at its end.
#[must_use]
pub fn edd_site(url: &str) -> String {
    let url = url.trim().to_lowercase();
    let rest = ["https://", "http://", "https:/", "http:/"].iter().find_map(|scheme| url.strip_prefix(scheme));
    let rest = rest.unwrap_or(&url);
    // Only behind a protocol, as there: an app that sends none means the name as it is.
    let rest = if rest.len() < url.len() { rest.strip_prefix("www.").unwrap_or(rest) } else { rest };
    let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = host
        .rsplit_once(':')
        .filter(|(_, port)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or(host, |(name, _)| name);
    format!("{host}{}/", path.trim_end_matches('/'))
}

/// Whether the site is on a developer's machine or is a copy for trying things: an address that is not of the public
/// net, a name under `.local`, `.test` or `.dev`, or one that begins with `dev.`, `staging.` or `test.`.
#[must_use]
pub fn is_local_site(url: &str) -> bool {
    let site = edd_site(url);
    let host = site.split(['/', '?', '#']).next().unwrap_or_default();
    let name = host.strip_prefix("www.").unwrap_or(host);
    match name.trim_matches(['[', ']']).parse() {
        Ok(IpAddr::V4(address)) => {
            address.is_private() || address.is_loopback() || address.is_link_local() || address.is_unspecified()
        }
        Ok(IpAddr::V6(address)) => address.is_loopback() || address.is_unspecified() || address.is_unique_local(),
        Err(_) => {
            name == "localhost"
                || [".localhost", ".local", ".test", ".dev"].iter().any(|end| name.ends_with(end))
                || name.matches('.').count() > 1
                    && ["dev.", "staging.", "test."].iter().any(|begin| name.starts_with(begin))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_the_same_however_its_address_is_written() {
        #[rustfmt::skip]
        let table = [
            ("https://Example.com",              "example.com/",      false),
            ("http://www.example.com/",          "example.com/",      false),
            ("example.com",                      "example.com/",      false),
            ("https://example.com:8443/Blog/",   "example.com/blog/", false),
            ("www.example.com",                  "www.example.com/",  false),
            ("https://developer.example.com",    "developer.example.com/", false),
            ("https://dev.com",                  "dev.com/",          false),
            ("https://8.8.8.8/",                 "8.8.8.8/",          false),
            ("http://localhost:8888/wp",         "localhost/wp/",     true),
            ("http://192.168.1.10",              "192.168.1.10/",     true),
            ("https://shop.local",               "shop.local/",       true),
            ("https://shop.test/",               "shop.test/",        true),
            ("https://staging.example.com",      "staging.example.com/", true),
            ("https://dev.example.com",          "dev.example.com/",  true),
        ];
        for (url, site, is_local) in table {
            assert_eq!((edd_site(url).as_str(), is_local_site(url)), (site, is_local), "{url}");
        }
    }
}
