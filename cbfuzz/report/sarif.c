/* A run of the suite as SARIF 2.1.0, as code scanning takes it. */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "harness/interrupt.h"
#include "report/conform.h"
#include "report/output.h"
#include "report/version.h"

static json_t *message(const char *text) {
    return json_pack("{s:o}", "text", report_json_text(text));
}

/* A finding's rule: its clause; without one, what kind of failure it is. */
static const char *rule_of(const Case *one, char buffer[80]) {
    if (one->status == CASE_STALE) return strcpy(buffer, "stale-baseline");
    return verdict_subject(&one->judgement, buffer);
}

static json_t *rule_row(const char *id, const char *title, const char *text, const char *help) {
    return json_pack("{s:s, s:o, s:o, s:{s:o}, s:{s:s}}", "id", id, "shortDescription",
                     message(title), "fullDescription", message(text), "help", "text",
                     report_json_text(help), "defaultConfiguration", "level", "error");
}

static json_t *rule_of_clause(const Clause *clause) {
    char *text = NULL, *help = NULL;
    json_t *row = NULL;
    if (asprintf(&text, "%s (%s, %s)", clause->text, clause->document, clause->section) >= 0 &&
        asprintf(&help,
                 "%s\n\nSource: %s, %s.\nProfile: %s.\nJudged by: %s.\n\n"
                 "`cbfuzz run --trace` on the case shows it call by call.",
                 clause->text, clause->document, clause->section, profile_name(clause->profile),
                 clause->how) >= 0)
        row = rule_row(clause->id, clause->text, text, help);
    free(text);
    free(help);
    return row;
}

static json_t *rule_for(const Case *one, const char *id) {
    ClauseId clause = clause_find(id);
    if (clause != CLAUSE_NONE) return rule_of_clause(clause_get(clause));
    if (one->status == CASE_STALE)
        return rule_row(id, "a known failure that is none any more",
                        "The baseline has a case that holds, or that is not there.",
                        "Take the line out of the baseline, or run with --update-baseline.");
    if (one->judgement.expectation)
        return rule_row(id, "a case's own expectation is not met",
                        "What the case expects was not seen; it names no clause for it.",
                        "The lines of the case say behind -> what must be seen.");
    return rule_row(id, id, verdict_name(one->judgement.verdict),
                    "The implementation did not get through the case; `cbfuzz run --trace` on it "
                    "shows the call.");
}

/* Index of the finding's rule; it is added if it is new. */
static size_t rule_index(json_t *rules, const Case *one, const char *id) {
    size_t i;
    json_t *rule;
    json_array_foreach(rules, i, rule) if (strcmp(json_string_value(json_object_get(rule, "id")),
                                                  id) == 0) return i;
    json_array_append_new(rules, rule_for(one, id));
    return json_array_size(rules) - 1;
}

/* A path as a URI reference. */
static json_t *uri_of(const char *path) {
    char *place = output_place(path);
    char *uri = place ? malloc(3 * strlen(place) + sizeof "file://") : NULL, *to = uri;
    if (uri && *place == '/') to = stpcpy(uri, "file://");
    for (const char *at = place; uri && *at; at++)
        if (isalnum((unsigned char)*at) || strchr("/-_.~", *at)) *to++ = *at;
        else to += sprintf(to, "%%%02X", (unsigned char)*at);
    if (uri) *to = 0;
    json_t *text = json_string(uri ? uri : "");
    free(uri);
    free(place);
    return text;
}

static json_t *location_of(const Case *one) {
    return json_pack("{s:{s:{s:o}, s:{s:i}}}", "physicalLocation", "artifactLocation", "uri",
                     uri_of(one->where ? one->where : one->path), "region", "startLine",
                     (int)one->line);
}

/* The same finding in the next run, whatever else has changed: the case, the rule and
 * the statement; not its line, nor what a crash looked like. */
static json_t *fingerprint_of(const Case *one, const char *rule) {
    const char *parts[] = {one->name, rule, one->finding ? one->finding->statement : ""};
    uint64_t hash = UINT64_C(14695981039346656037);
    for (unsigned i = 0; i < sizeof parts / sizeof parts[0]; i++)
        for (const char *at = parts[i];; at++) {
            hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
            if (!*at) break;
        }
    char text[32];
    snprintf(text, sizeof text, "%016llx:1", (unsigned long long)hash);
    return json_pack("{s:s}", "primaryLocationLineHash", text);
}

static json_t *result_of(json_t *rules, const Case *one, const ReportCall *call) {
    char rule[80];
    rule_of(one, rule);
    size_t index = rule_index(rules, one, rule);
    char *headline = conform_headline(one), *details = conform_details(one, call), *text = NULL;
    if (asprintf(&text, "%s: %s\n%s", one->name, headline ? headline : "", details ? details : "") <
        0)
        text = NULL;
    json_t *row =
        json_pack("{s:s, s:i, s:s, s:o, s:[o], s:o}", "ruleId", rule, "ruleIndex", (int)index,
                  "level", "error", "message", message(text ? text : rule), "locations",
                  location_of(one), "partialFingerprints", fingerprint_of(one, rule));
    free(headline);
    free(details);
    free(text);
    return row;
}

/* A case that could not be judged is no result: the tool says so about its run. */
static json_t *notification_of(const Case *one) {
    const char *text = one->reason ? one->reason : "not run";
    return json_pack("{s:s, s:o, s:[o]}", "level", "error", "message", message(text), "locations",
                     location_of(one));
}

char *conform_sarif(const Summary *summary, const ReportCall *call, int code, size_t *size) {
    const Suite *suite = summary->suite;
    json_t *rules = json_array(), *results = json_array(), *notifications = json_array();
    for (unsigned i = 0; i < suite->count; i++) {
        const Case *one = &suite->cases[i];
        if (one->status == CASE_FAILS || one->status == CASE_STALE)
            json_array_append_new(results, result_of(rules, one, call));
        if (one->status == CASE_WRONG || one->status == CASE_NOT_RUN)
            json_array_append_new(notifications, notification_of(one));
    }
    json_t *document = json_pack(
        "{s:s, s:s, s:[{s:{s:{s:s, s:s, s:s, s:o}}, s:{s:s}, s:[{s:b, s:i, s:o}], s:s, s:o}]}",
        "$schema", "https://json.schemastore.org/sarif-2.1.0.json", "version", "2.1.0", "runs",
        "tool", "driver", "name", "cbfuzz", "version", CBFUZZ_VERSION, "semanticVersion",
        CBFUZZ_VERSION, "rules", rules, "automationDetails", "id", "cbfuzz/conform/", "invocations",
        "executionSuccessful", code == 0 || code == 1, "exitCode", code,
        "toolExecutionNotifications", notifications, "columnKind", "utf16CodeUnits", "results",
        results);
    char *text = document ? json_dumps(document, JSON_INDENT(2) | JSON_ENSURE_ASCII) : NULL;
    json_decref(document);
    if (text) *size = strlen(text);
    return text;
}
