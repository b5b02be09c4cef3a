/* A run of the suite as JSON. */
#include "report/conform.h"

static json_t *clauses_of(const Case *one) {
    json_t *clauses = json_array();
    for (unsigned i = 0; i < one->clause_count; i++)
        json_array_append_new(clauses, json_string(clause_get(one->clauses[i])->id));
    return clauses;
}

static json_t *row_of(const Case *one) {
    json_t *row = json_object();
    json_object_set_new(row, "file", report_json_text(one->path));
    json_object_set_new(row, "name", report_json_text(one->name));
    json_object_set_new(row, "topic", report_json_text(one->topic));
    json_object_set_new(row, "intent", report_json_text(one->intent));
    json_object_set_new(row, "clauses", clauses_of(one));
    json_object_set_new(row, "profile", json_string(one->windows ? "windows" : "documented"));
    json_object_set_new(row, "status", json_string(case_status_name(one->status)));
    json_object_set_new(row, "reason", one->reason ? report_json_text(one->reason) : json_null());
    if (one->finding) {
        report_json_finding(row, one->finding);
    } else if (one->ran) {
        Finding conforms = {.judgement = one->judgement};
        report_json_finding(row, &conforms);
    } else {
        json_object_set_new(row, "verdict", json_null());
        json_object_set_new(row, "clause", json_null());
        json_object_set_new(row, "step", json_null());
    }
    json_object_set_new(row, "line", json_integer(one->line));
    json_object_set_new(row, "note", one->note ? report_json_text(one->note) : json_null());
    json_object_set_new(row, "seconds", json_real(one->seconds));
    return row;
}

void conform_json_cases(json_t *document, const Suite *suite) {
    json_t *rows = json_array();
    for (unsigned i = 0; i < suite->count; i++)
        json_array_append_new(rows, row_of(&suite->cases[i]));
    json_object_set_new(document, "cases", rows);
}

/* One object for each question: the reading that is taken, if it is known. */
static json_t *readings_of(const Readings *readings) {
    json_t *rows = json_array();
    for (unsigned q = 0; q < QUESTIONS; q++) {
        json_t *row = json_object(), *left = json_array();
        unsigned answer;
        bool decided = readings_decided(readings, q, &answer);
        for (unsigned a = 0; a < QUESTION_ANSWERS; a++)
            if (readings_left(readings, q) >> a & 1)
                json_array_append_new(left, json_string(reading_name(q, a)));
        json_object_set_new(row, "reading",
                            decided ? json_string(reading_name(q, answer)) : json_null());
        json_object_set_new(row, "text",
                            decided ? json_string(reading_text(q, answer)) : json_null());
        json_object_set_new(row, "possible", left);
        json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *clause_list(const Summary *summary, bool covered) {
    json_t *list = json_array();
    for (unsigned i = 1; i < CLAUSES; i++)
        if (summary_asks(summary, (ClauseId)i) &&
            clause_set_has(&summary->named, (ClauseId)i) == covered)
            json_array_append_new(list, json_string(clause_get((ClauseId)i)->id));
    return list;
}

void conform_json(json_t *document, const Summary *summary) {
    static const char *const profiles[] = {"documented", "windows", "both"};
    json_t *counts = json_object();
    for (unsigned i = 0; i < CASE_STATUSES; i++)
        json_object_set_new(counts, case_status_name(i), json_integer(summary->counts[i]));
    json_object_set_new(document, "implementation", report_json_text(summary->implementation));
    json_object_set_new(document, "profile", json_string(profiles[summary->ask]));
    conform_json_cases(document, summary->suite);
    json_object_set_new(document, "readings", readings_of(&summary->readings));
    json_object_set_new(document, "counts", counts);
    json_object_set_new(document, "gone", json_integer(summary->gone));
    json_object_set_new(document, "covered", clause_list(summary, true));
    json_object_set_new(document, "not_covered", clause_list(summary, false));
    json_object_set_new(document, "statements", json_integer((json_int_t)summary->statements));
    json_object_set_new(document, "effective_statements",
                        json_integer((json_int_t)summary->effective));
    json_object_set_new(document, "statements_never_run", report_json_never_run(summary->kinds));
    json_object_set_new(document, "seconds", json_real(summary->seconds));
}
