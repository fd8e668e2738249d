/* Licenses in a program that is sold with Latchkey, for C and C++: activate, validate, heartbeat, deactivate, and go
 * on while the shop cannot be reached.
 *
 * The program sends the requests, by whatever HTTP library it has; the library decides. One state machine, the same
 * in every language: docs/clients.md has it in words.
 *
 * Texts are UTF-8 and end with a zero byte. Times are seconds since 1970. A client may move between threads, and is
 * used by one at a time.
 */
#ifndef LATCHKEY_H
#define LATCHKEY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the program may do. */
typedef enum latchkey_state {
    LATCHKEY_VALID = 0,        /* It works, and the shop said so lately. */
    LATCHKEY_GRACE = 1,        /* It works by its certificate, though the shop did not confirm it. */
    LATCHKEY_REFUSED = 2,      /* The shop said no, or nothing was ever activated here. */
    LATCHKEY_UNDETERMINED = 3, /* Nobody can tell, and no certificate carries the program. Never a "no". */
    LATCHKEY_RELEASED = 4      /* The seat is free again, and nothing is kept. */
} latchkey_state;

/* What a call came to. Lives until the next call on the same client. */
typedef struct latchkey_outcome {
    int state;                   /* A latchkey_state. */
    int usable;                  /* Whether the program may run: valid or grace. */
    const char *code;            /* The reason, as a stable word. */
    const char *message;         /* The reason, as a sentence for a person. */
    const char *portal_url;      /* Where the buyer frees seats, finds keys and renews. */
    const char *license_id;      /* What was bought, where a certificate says so; else NULL, as the next two. */
    const char *product;
    const char *plan;
    const char *const *features; /* The features that are switched on. */
    size_t features_count;
    int64_t license_expires_at;  /* When the license itself ends; 0 if it does not, or is not known. */
    int64_t carries_until;       /* Until when the certificate carries the program without the shop; 0 for none. */
    int64_t refresh_at;          /* When the shop should be asked again; 0 for none. */
    const char *request;         /* What a person carries to the shop, as one line of text; NULL where there is nothing
                                    to carry. One for a seat holds the license key. */
    const char *request_url;     /* The page that takes the request, with it behind the #: what a QR code shows. */
} latchkey_outcome;

/* What the program knows about itself. Read by latchkey_open, and not needed afterwards. */
typedef struct latchkey_settings {
    const char *shop_url;    /* The shop's address. */
    const char *product;     /* The product's id (prod_...), as certificates name it. */
    const char *fingerprint; /* What tells this device from another: up to 255 characters that stay the same. */
    const char *keys;        /* The shop's public keys (JWKS) as of when the program was built; then no others count.
                                NULL: they are fetched and kept. */
    const char *language;    /* The language of messages, as a tag; NULL: English. */
    const char *file;        /* Where to keep what must be kept. NULL: the callbacks read and write keep it. */
} latchkey_settings;

/* A text that a callback gives back, piece by piece. At most 256 KiB are taken. */
typedef struct latchkey_text latchkey_text;
void latchkey_text_append(latchkey_text *text, const char *bytes, size_t length);

/* What the program does for the library. The context is handed to each of them. */
typedef struct latchkey_callbacks {
    void *context;
    /* POST of a JSON body, or GET when it is NULL, with Accept-Language as given; without following redirects. The
     * answer's body goes into `answer`. Returns the HTTP status, 0 when there was no connection, or it broke, and -1
     * when nothing came in time. */
    int (*send)(void *context, const char *url, const char *body, const char *language, latchkey_text *answer);
    /* What was written last, nothing if nothing was. 0, or another number when it cannot be read. */
    int (*read)(void *context, latchkey_text *text);
    /* Replaces it as a whole. 0, or another number when it could not be written. */
    int (*write)(void *context, const char *text);
    /* The time. NULL: the system's clock. */
    int64_t (*now)(void *context);
    /* So many bytes that nobody predicts. NULL: the system's. */
    void (*chance)(void *context, uint8_t *bytes, size_t length);
} latchkey_callbacks;

typedef struct latchkey_client latchkey_client;

/* Reads what was kept; asks nobody. NULL when an argument cannot be read, or what was kept cannot. */
latchkey_client *latchkey_open(const latchkey_settings *settings, const latchkey_callbacks *callbacks);
void latchkey_close(latchkey_client *client);

/* Each gives NULL only when what must be kept could not be written, or an argument cannot be read. */

/* Takes a seat for this device. Repeated, it comes to the same seat. The name may be NULL. */
const latchkey_outcome *latchkey_activate(latchkey_client *client, const char *key, const char *device_name);
/* Asks whether the license works on this device, and renews the certificate. */
const latchkey_outcome *latchkey_validate(latchkey_client *client);
/* Tells the shop that this device is alive, and renews the certificate. */
const latchkey_outcome *latchkey_heartbeat(latchkey_client *client);
/* Gives the seat back. When the shop cannot be reached, the seat stays taken and the license stays. */
const latchkey_outcome *latchkey_deactivate(latchkey_client *client);
/* How the license stands by what is kept, without asking. */
const latchkey_outcome *latchkey_status(latchkey_client *client);
/* The same, asking the shop when that is due. To be called at the start of the program, and from time to time. */
const latchkey_outcome *latchkey_refresh(latchkey_client *client);

/* Without a network. A person carries the outcome's `request` to the shop's page, and a license file back. */

/* Asks for a seat. Asked again it is the same request, until a license file was installed. The name may be NULL. */
const latchkey_outcome *latchkey_request_activation(latchkey_client *client, const char *key, const char *device_name);
/* Gives the seat back: the license ends here, and the request frees the seat at the shop. */
const latchkey_outcome *latchkey_request_release(latchkey_client *client);
/* Takes a license file, or the text of its QR code. Asks nobody, but for the shop's keys where none that it knows
 * signed the file. */
const latchkey_outcome *latchkey_install(latchkey_client *client, const char *file);
/* Takes a revocation list that came from wherever, and refuses the license if the list names it. */
const latchkey_outcome *latchkey_check_revocations(latchkey_client *client, const char *list);

/* Checks without a client. Each gives 1 when it holds, and else 0 with the reason as a word in `code`. A buffer has
 * LATCHKEY_CODE_BYTES, or is NULL. */
#define LATCHKEY_CODE_BYTES 40

/* Whether a text can be a license key, as while it is typed. Its one proper form goes into `canonical`. */
int latchkey_check_key(const char *key, char *canonical, char *code);
/* Whether a JWK set can be used. */
int latchkey_check_keys(const char *keys, char *code);
/* Whether a certificate, or the one in a license file, counts, by these keys, for this product, on this device, at this time. */
int latchkey_verify(const char *certificate, const char *keys, const char *product, const char *fingerprint,
                    int64_t now, char *code);

/* What a signed key says, as of the moment when it was issued. */
typedef struct latchkey_signed_key {
    const char *key;             /* The short key: what the shop knows the license by. */
    const char *license_id;
    const char *product;
    const char *plan;
    const char *const *features; /* The features that it switches on. */
    size_t features_count;
    const char *feature_values;  /* What it sets to a value, as a JSON object. */
    int64_t issued_at;
    int64_t expires_at;          /* When it stops counting; 0 if that was not fixed when it was issued. */
    int64_t updates_until;       /* Until when versions come out that it covers; 0: every version. */
    int64_t seats;               /* For how many devices it is; -1: any number. */
    int trial;                   /* Whether it is for trying out. */
} latchkey_signed_key;

/* What a signed key says, if one of these keys signed it and it counts for this product at this time; else NULL, with the
 * reason as a word in `code`. To be freed. */
const latchkey_signed_key *latchkey_verify_signed_key(const char *text, const char *keys, const char *product,
                                                      int64_t now, char *code);
void latchkey_free_signed_key(const latchkey_signed_key *key);

#ifdef __cplusplus
}
#endif

#endif
