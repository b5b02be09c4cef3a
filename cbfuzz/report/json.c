/* Runs and findings as JSON. */
#include <stdlib.h>
#include <string.h>

#include "harness/interrupt.h"
#include "report/report.h"

json_t *report_json(const char *command) {
    json_t *document = json_object();
    json_object_set_new(document, "schema", json_string("cbfuzz/1"));
    json_object_set_new(document, "command", json_string(command));
    return document;
}

json_t *report_json_text(const char *text) {
    json_t *string = json_string(text);
    if (string) return string;
    /* Not UTF-8 (a file's name): bytes beyond ASCII become question marks. */
    char *copy = strdup(text);
    for (char *at = copy; at && *at; at++)
        if ((unsigned char)*at >= 0x80) *at = '?';
    string = json_string(copy ? copy : "");
    free(copy);
    return string;
}

void report_json_finding(json_t *object, const Finding *finding) {
    const Judgement *judgement = &finding->judgement;
    const Clause *clause = clause_get(judgement->clause);
    bool known = judgement->clause != CLAUSE_NONE;
    json_object_set_new(object, "verdict", json_string(verdict_name(judgement->verdict)));
    json_object_set_new(object, "clause", known ? json_string(clause->id) : json_null());
    json_object_set_new(object, "step", json_integer(judgement->step));
    if (judgement->verdict == VERDICT_CONFORMS) return;
    json_object_set_new(object, "kind", report_json_text(judgement->kind));
    json_object_set_new(object, "statement", report_json_text(finding->statement));
    json_object_set_new(object, "expected", report_json_text(finding->expected));
    json_object_set_new(object, "observed", report_json_text(finding->observed));
    json_object_set_new(object, "text", json_string(clause->text));
    json_object_set_new(object, "document", json_string(clause->document));
    json_object_set_new(object, "section", json_string(clause->section));
}

json_t *report_json_readings(const Readings *readings) {
    json_t *array = json_array();
    for (unsigned q = 0; q < QUESTIONS; q++) {
        json_t *left = json_array();
        for (unsigned a = 0; a < QUESTION_ANSWERS; a++)
            if (readings_left(readings, q) >> a & 1)
                json_array_append_new(left, json_string(reading_name(q, a)));
        json_array_append_new(array, left);
    }
    return array;
}

json_t *report_json_never_run(uint32_t kinds) {
    json_t *array = json_array();
    for (unsigned i = 0; i < LINE_KINDS; i++)
        if (line_info[i].class == CLASS_CALL && !(kinds >> i & 1))
            json_array_append_new(array, json_string(line_info[i].word));
    return array;
}

int report_json_end(json_t *document, int code) {
    json_object_set_new(document, "exit", json_integer(code));
    bool good = json_dumpf(document, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII) == 0;
    good = fputc('\n', stdout) != EOF && fflush(stdout) == 0 && good;
    json_decref(document);
    if (!good) fputs("cbfuzz: standard output cannot be written\n", stderr);
    return good ? code : interrupt_code(3);
}
