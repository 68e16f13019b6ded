/* Certificates and keys that a site names: what can't be used is said before anything starts. */
#include "pem_fixture.h"
#include "site_case.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/pem.h>

struct pem_case {
	const char *name;
	const char *keys;
	const char *lines;
};

#define CERT(name) "tls_config: {cert_file: " name ", key_file: key.pem}"
#define KEY(name) "tls_config: {cert_file: cert.pem, key_file: " name "}"

static const struct pem_case cases[] = {
	{"authorities", "ca_file: chain.pem", ""},
	{"authorities beside a key", "ca_file: both.pem", ""},
	{"a pair", KEY("key.pem"), ""},
	{"a pair in one file", "tls_config: {cert_file: both.pem, key_file: both.pem}", ""},
	{"a chain and its key", CERT("chain.pem"), ""},
	{"no file", "ca_file: none.pem", "s.yaml:1:28: none.pem does not exist\n"},
	{"a folder", "ca_file: folder", "s.yaml:1:28: folder is a folder, expected a file\n"},
	{"a pipe", "ca_file: pipe", "s.yaml:1:28: pipe is a pipe or a device, expected a file\n"},
	{"a device", "ca_file: /dev/zero",
	 "s.yaml:1:28: /dev/zero is a pipe or a device, expected a file\n"},
	{"a large file", "ca_file: large", "s.yaml:1:28: large is larger than 4096 KiB\n"},
	{"an empty file", "ca_file: empty",
	 "s.yaml:1:28: empty: found no PEM block, expected certificates (PEM)\n"},
	{"text", "ca_file: s.yaml",
	 "s.yaml:1:28: s.yaml: found no PEM block, expected certificates (PEM)\n"},
	{"a key for authorities", "ca_file: key.pem",
	 "s.yaml:1:28: key.pem: found a private key, expected certificates (PEM)\n"},
	{"DER", "ca_file: cert.der",
	 "s.yaml:1:28: cert.der: found DER, expected certificates (PEM)\n"},
	{"a block that does not end", "ca_file: cut.pem",
	 "s.yaml:1:28: cut.pem: found a damaged block, expected certificates (PEM)\n"},
	{"a second block that does not end", "ca_file: second-cut.pem",
	 "s.yaml:1:28: second-cut.pem: found a damaged block after certificate 1, expected PEM\n"},
	{"a certificate of other bytes", "ca_file: second-bad.pem",
	 "s.yaml:1:28: second-bad.pem: found a damaged certificate (number 2), expected PEM\n"},
	{"a key for a certificate", CERT("key.pem"),
	 "s.yaml:1:43: key.pem: found a private key, expected certificates (PEM)\n"},
	{"a certificate for a key", KEY("cert.pem"),
	 "s.yaml:1:63: cert.pem: found a certificate, expected a private key (PEM)\n"},
	{"an encrypted key", KEY("locked.pem"),
	 "s.yaml:1:63: locked.pem: found an encrypted key, expected one without a passphrase\n"},
	{"an encrypted key of old", KEY("locked-old.pem"),
	 "s.yaml:1:63: locked-old.pem: found an encrypted key, expected one without a "
	 "passphrase\n"},
	{"a key of other bytes", KEY("bad-key.pem"),
	 "s.yaml:1:63: bad-key.pem: found a damaged key, expected a private key (PEM)\n"},
	{"a key of another", KEY("other-key.pem"),
	 "s.yaml:1:2: other-key.pem: found the key of another certificate, expected that of "
	 "cert.pem\n"},
	{"a certificate alone", "tls_config: {cert_file: cert.pem}",
	 "s.yaml:1:2: found `cert_file` without `key_file`, expected both\n"},
	{"a certificate beside a key that is misspelt",
	 "tls_config: {cert_file: cert.pem, key_flie: key.pem}",
	 "s.yaml:1:53: unknown key `key_flie`, did you mean `key_file`?\n"},
	{"a key beside a certificate that is misspelt",
	 "tls_config: {cert_flie: cert.pem, key_file: key.pem}",
	 "s.yaml:1:32: unknown key `cert_flie`, did you mean `cert_file`?\n"},
	{"a key beside a certificate that is a list",
	 "tls_config: {cert_file: [], key_file: key.pem}",
	 "s.yaml:1:43: found an empty list, expected text for `cert_file`\n"},
	{"a key alone beside another mistake", "tls_config: {key_file: key.pem}, intervall: 5s",
	 "s.yaml:1:52: unknown key `intervall`, did you mean `interval`?\n"
	 "s.yaml:1:2: found `key_file` without `cert_file`, expected both\n"},
	{"a key alone", "tls_config: {key_file: key.pem}",
	 "s.yaml:1:2: found `key_file` without `cert_file`, expected both\n"},
	{"authorities twice", "ca_file: cert.pem, tls_config: {ca_file: chain.pem}",
	 "s.yaml:1:60: found `tls_config: ca_file` beside `ca_file`, expected one of them\n"},
};

static const struct site_case taken_cases[] = {
	{"TLS as blackbox_exporter nests it",
	 FILE_OF("[{url: https://a/, tls_config: {ca_file: cert.pem}}, "
		 "{url: https://b/, tls_config: {insecure_skip_verify: true}}]"),
	 "https://a/ ca=cert.pem\nhttps://b/ insecure\n", NULL},
	{"TLS flat",
	 FILE_OF("[{url: https://a/, ca_file: cert.pem}, "
		 "{url: https://b/, insecure_skip_verify: true}]"),
	 "https://a/ ca=cert.pem\nhttps://b/ insecure\n", NULL},
	{"tls_config",
	 FILE_OF("[{url: https://a/, tls_config: {ca_file: cert.pem, cert_file: cert.pem, "
		 "key_file: key.pem, server_name: A.Test, min_version: TLS12, max_version: 1.3}}]"),
	 "https://a/ ca=cert.pem cert='cert.pem' key='key.pem' server_name='a.test' tls=3-4\n",
	 NULL},
	{"request_kwargs: verify names authorities",
	 FILE_OF("[{url: https://a/, request_kwargs: {verify: cert.pem}}]"),
	 "https://a/ ca=cert.pem\n", NULL},
	{"tls_config is added part by part",
	 FILE_OF("{defaults: {tls_config: {cert_file: cert.pem, key_file: other-key.pem, "
		 "min_version: TLS12}}, sites: [{url: https://a/, tls_config: {key_file: "
		 "key.pem}}]}"),
	 "https://a/ cert='cert.pem' key='key.pem' tls=3-0\n", NULL},
	{"a site's ca_file over the defaults' tls_config",
	 FILE_OF("{defaults: {tls_config: {ca_file: cert.pem, min_version: TLS12}}, sites: "
		 "[{url: https://a/, ca_file: chain.pem}]}"),
	 "https://a/ ca=chain.pem tls=3-0\n", NULL},
	{"a site's ca_file where the defaults verify nothing",
	 FILE_OF("{defaults: {tls_config: {insecure_skip_verify: true}}, sites: "
		 "[{url: https://a/, ca_file: chain.pem, insecure_skip_verify: false}]}"),
	 "https://a/ ca=chain.pem\n", NULL},
};

static FILE *begin(const char *name)
{
	FILE *out = fopen(name, "w");
	assert_non_null(out);
	return out;
}

static void end(FILE *out)
{
	assert_int_equal(fclose(out), 0);
}

static void write_text(const char *name, const char *text)
{
	FILE *out = begin(name);
	assert_true(fputs(text, out) >= 0);
	end(out);
}

static void write_certificates(X509 *certificate, EVP_PKEY *key)
{
	static const char begun[] = "-----BEGIN CERTIFICATE-----\nMIIB\n";
	static const char other[] =
		"-----BEGIN CERTIFICATE-----\nc2VzYW1l\n-----END CERTIFICATE-----\n";
	FILE *out = begin("cert.pem");
	assert_int_equal(PEM_write_X509(out, certificate), 1);
	end(out);
	out = begin("chain.pem");
	assert_int_equal(PEM_write_X509(out, certificate), 1);
	assert_true(fputs("# a comment between\n", out) >= 0);
	assert_int_equal(PEM_write_X509(out, certificate), 1);
	end(out);
	out = begin("second-cut.pem");
	assert_int_equal(PEM_write_X509(out, certificate), 1);
	assert_true(fputs(begun, out) >= 0);
	end(out);
	out = begin("second-bad.pem");
	assert_int_equal(PEM_write_X509(out, certificate), 1);
	assert_true(fputs(other, out) >= 0);
	end(out);
	out = begin("both.pem");
	assert_int_equal(PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(PEM_write_X509(out, certificate), 1);
	end(out);
	out = begin("cert.der");
	assert_int_equal(i2d_X509_fp(out, certificate), 1);
	end(out);
	write_text("cut.pem", begun);
}

static void write_keys(EVP_PKEY *key, EVP_PKEY *other)
{
	static unsigned char passphrase[] = "sesame";
	FILE *out = begin("key.pem");
	assert_int_equal(PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL), 1);
	end(out);
	out = begin("other-key.pem");
	assert_int_equal(PEM_write_PrivateKey(out, other, NULL, NULL, 0, NULL, NULL), 1);
	end(out);
	out = begin("locked.pem");
	assert_int_equal(PEM_write_PKCS8PrivateKey(out, key, EVP_aes_128_cbc(), (char *)passphrase,
						   6, NULL, NULL),
			 1);
	end(out);
	BIO *old = BIO_new_file("locked-old.pem", "w");
	assert_int_equal(PEM_write_bio_PrivateKey_traditional(old, key, EVP_aes_128_cbc(),
							      passphrase, 6, NULL, NULL),
			 1);
	assert_int_equal(BIO_free(old), 1);
	write_text("bad-key.pem",
		   "-----BEGIN PRIVATE KEY-----\nc2VzYW1l\n-----END PRIVATE KEY-----\n");
}

static void files_are_made(void **state)
{
	(void)state;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	EVP_PKEY *other = EVP_EC_gen("P-256");
	X509 *certificate = pem_fixture_certificate(key);
	write_certificates(certificate, key);
	write_keys(key, other);
	X509_free(certificate);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
	write_text("empty", "");
	write_text("large", "");
	assert_int_equal(truncate("large", (off_t)5 * 1024 * 1024), 0); /* sparse */
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_int_equal(mkfifo("pipe", 0600), 0);
}

static void says_what_is_wrong(void **state)
{
	const struct pem_case *row = *state;
	char text[512];
	struct fixture fixture;
	(void)snprintf(text, sizeof(text), "[{url: http://a/, %s}]", row->keys);
	const struct fixture_input input = {.args = {"run", "s.yaml"}, .files = {{"s.yaml", text}}};
	fixture_read(&fixture, &input);
	assert_string_equal(fixture.lines, row->lines);
	fixture_finish(&fixture);
}

/* What the defaults name is read once and complained of once, however many sites there are. */
static void defaults_are_complained_of_once(void **state)
{
	(void)state;
	const struct fixture_input input = {
		.args = {"run", "s.yaml"},
		.files = {{"s.yaml",
			   "{defaults: {ca_file: key.pem}, sites: [http://a/, http://b/]}"}}};
	struct fixture fixture;
	fixture_read(&fixture, &input);
	assert_string_equal(
		fixture.lines,
		"s.yaml:1:22: key.pem: found a private key, expected certificates (PEM)\n");
	fixture_finish(&fixture);
}

/* The rest of what is read while the sites are: a pipe would be empty the second time, or hold us up. */
static void no_pipe_is_read(void **state)
{
	(void)state;
	const struct fixture_input input = {
		.args = {"run", "s.yaml"},
		.files = {{"s.yaml",
			   "- {url: http://a/, body_file: pipe, bearer_token_file: pipe}\n"}}};
	struct fixture fixture;
	fixture_read(&fixture, &input);
	assert_string_equal(fixture.lines,
			    "s.yaml:1:31: pipe is a pipe or a device, expected a file\n"
			    "s.yaml:1:56: pipe is a pipe or a device, expected a file\n");
	fixture_finish(&fixture);
}

int main(void)
{
	FIXTURE_ADD(files_are_made);
	FIXTURE_ADD_TABLE(cases, says_what_is_wrong);
	FIXTURE_ADD_TABLE(taken_cases, site_case_check);
	FIXTURE_ADD(defaults_are_complained_of_once);
	FIXTURE_ADD(no_pipe_is_read);
	return fixture_run("pem_files");
}
