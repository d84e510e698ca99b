/**
 * A self-signed certificate for `localhost`, `127.0.0.1` and `::1`, valid from 2020 to 2120. FOR TESTS ONLY:
 * the key is public, nothing may ever trust it outside of this folder.
 */
export const TEST_ONLY_KEY = `
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgS6/aDKNipAteVE4O
RLbIHbjm8ZCNn70mbYHv68tJNZ2hRANCAATJg+qV0Apj62WoTSukjEbcyQesuibU
LMktq5reKo+FxQbcoF9mJhCzFYfSZdhXFwj3fAGQ7lPw915EiaZtCx5e
-----END PRIVATE KEY-----
`.trimStart();

/** The certificate of {@link TEST_ONLY_KEY}. It is its own authority: give it as `ca` to trust it. */
export const TEST_ONLY_CERTIFICATE = `
-----BEGIN CERTIFICATE-----
MIIBzjCCAXOgAwIBAgIBATAKBggqhkjOPQQDAjA+MRIwEAYDVQQDDAlsb2NhbGhv
c3QxKDAmBgNVBAoMH25vZGUtcmVkLWlvdG1wIHRlc3QgY2VydGlmaWNhdGUwIBcN
MjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMD4xEjAQBgNVBAMMCWxvY2Fs
aG9zdDEoMCYGA1UECgwfbm9kZS1yZWQtaW90bXAgdGVzdCBjZXJ0aWZpY2F0ZTBZ
MBMGByqGSM49AgEGCCqGSM49AwEHA0IABMmD6pXQCmPrZahNK6SMRtzJB6y6JtQs
yS2rmt4qj4XFBtygX2YmELMVh9Jl2FcXCPd8AZDuU/D3XkSJpm0LHl6jYDBeMA8G
A1UdEwEB/wQFMAMBAf8wHQYDVR0OBBYEFO3gqgxMB+HAhT+IpUak5uax7F4cMCwG
A1UdEQQlMCOCCWxvY2FsaG9zdIcEfwAAAYcQAAAAAAAAAAAAAAAAAAAAATAKBggq
hkjOPQQDAgNJADBGAiEAlLydrWdaAIEY/ZdE6kgpDHB+oT3Q/LCepM9m7zgigZoC
IQC3lnGuDtiv3faLXM3+5hQMln/Lp95Kc+6g6Bw5OxYfWQ==
-----END CERTIFICATE-----
`.trimStart();
