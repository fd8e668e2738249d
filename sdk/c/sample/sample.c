/* A program with a license, on the command line: `sample <shop> <product> <file> <command> [key]`; install and
 * check_revocations read a file, or standard input for `-`. Prints the outcome
 * as one line of JSON; ends with 0 when the license works, or the seat was given back. libcurl sends the requests. */

#include <curl/curl.h>
#include <latchkey.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t take(char *bytes, size_t size, size_t count, void *answer) {
    latchkey_text_append(answer, bytes, size * count);
    return size * count;
}

static int send_by_curl(void *context, const char *url, const char *body, const char *language, latchkey_text *answer) {
    CURL *curl = context;
    char accept[64];
    long status = 0;
    struct curl_slist *headers = NULL;
    CURLcode result;

    snprintf(accept, sizeof accept, "Accept-Language: %s", language);
    headers = curl_slist_append(headers, accept);
    headers = curl_slist_append(headers, "Content-Type: application/json");
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 10L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    if (body != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    }
    result = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    if (result == CURLE_OPERATION_TIMEDOUT) {
        return -1;
    }
    return result == CURLE_OK ? (int)status : 0;
}

/* A text as JSON has it. What the shop sends holds no control characters but line breaks. */
static void print_text(const char *text) {
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            putchar('\\');
        }
        putchar((unsigned char)*text < ' ' ? ' ' : *text);
    }
    putchar('"');
}

static void print_outcome(const latchkey_outcome *outcome) {
    static const char *const STATES[] = {"valid", "grace", "refused", "undetermined", "released"};
    size_t at;

    printf("{\"state\":\"%s\",\"code\":", STATES[outcome->state]);
    print_text(outcome->code);
    printf(",\"message\":");
    print_text(outcome->message);
    printf(",\"portal_url\":");
    print_text(outcome->portal_url);
    printf(",\"features\":[");
    for (at = 0; at < outcome->features_count; at++) {
        if (at > 0) {
            putchar(',');
        }
        print_text(outcome->features[at]);
    }
    printf("],\"carries_until\":%lld,\"refresh_at\":%lld,\"request\":", (long long)outcome->carries_until,
           (long long)outcome->refresh_at);
    print_text(outcome->request == NULL ? "" : outcome->request);
    printf("}\n");
}

/* What stands in a file; cut off where it is longer than any that is taken. */
static const char *read_text(const char *name) {
    static char text[256 * 1024];
    FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "rb");
    size_t length = file == NULL ? 0 : fread(text, 1, sizeof text - 1, file);

    text[length] = '\0';
    if (file != NULL && file != stdin) {
        fclose(file);
    }
    return text;
}

static const latchkey_outcome *act(latchkey_client *license, const char *command, const char *key) {
    if (strcmp(command, "activate") == 0) {
        return latchkey_activate(license, key, "The C sample");
    }
    if (strcmp(command, "validate") == 0) {
        return latchkey_validate(license);
    }
    if (strcmp(command, "heartbeat") == 0) {
        return latchkey_heartbeat(license);
    }
    if (strcmp(command, "refresh") == 0) {
        return latchkey_refresh(license);
    }
    if (strcmp(command, "deactivate") == 0) {
        return latchkey_deactivate(license);
    }
    if (strcmp(command, "request_activation") == 0) {
        return latchkey_request_activation(license, key, "The C sample");
    }
    if (strcmp(command, "request_release") == 0) {
        return latchkey_request_release(license);
    }
    if (strcmp(command, "install") == 0) {
        return latchkey_install(license, read_text(key));
    }
    if (strcmp(command, "check_revocations") == 0) {
        return latchkey_check_revocations(license, read_text(key));
    }
    return latchkey_status(license);
}

int main(int count, char **arguments) {
    latchkey_settings settings = {0};
    latchkey_callbacks callbacks = {0};
    latchkey_client *license;
    const latchkey_outcome *outcome;
    int ended = 2;

    if (count < 5) {
        fprintf(stderr, "sample <shop> <product> <file> activate|validate|heartbeat|status|refresh|deactivate|"
                        "request_activation|request_release|install|check_revocations [key|file]\n");
        return 2;
    }
    settings.shop_url = arguments[1];
    settings.product = arguments[2];
    settings.file = arguments[3];
    settings.fingerprint = "sample-device-c";
    /* A program that is sold has these keys built in; this one is told where they are. */
    settings.keys = getenv("LATCHKEY_KEYS") == NULL ? NULL : read_text(getenv("LATCHKEY_KEYS"));
    curl_global_init(CURL_GLOBAL_DEFAULT);
    callbacks.context = curl_easy_init();
    callbacks.send = send_by_curl;
    license = latchkey_open(&settings, &callbacks);
    outcome = license == NULL ? NULL : act(license, arguments[4], count > 5 ? arguments[5] : "");
    if (outcome == NULL) {
        fprintf(stderr, "%s cannot be read or written\n", arguments[3]);
    } else {
        print_outcome(outcome);
        ended = outcome->usable || outcome->state == LATCHKEY_RELEASED ? 0 : 1;
    }
    latchkey_close(license);
    curl_easy_cleanup(callbacks.context);
    curl_global_cleanup();
    return ended;
}
