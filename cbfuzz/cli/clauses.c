/* cbfuzz clauses: the register of requirements. */
#include <string.h>

#include "cli/cli.h"

static const char help[] =
    "usage: cbfuzz clauses [--json] [--profile P]\n\n"
    "Lists the clauses: id, whom it binds, profile, requirement, source. With --profile\n"
    "documented only those of the five documents.\n";

static const char *binds(const Clause *clause) {
    return clause->binds == BINDS_CALLER ? "caller" : "implementation";
}

static const char *judged(const Clause *clause) {
    switch (clause->judged) {
    case JUDGED_STEP: return "step";
    case JUDGED_END: return "end";
    case JUDGED_THREADS: return "threads";
    case JUDGED_NEVER: break;
    }
    return "never";
}

static json_t *as_json(const Clause *clause) {
    json_t *row = json_object();
    json_object_set_new(row, "id", json_string(clause->id));
    json_object_set_new(row, "binds", json_string(binds(clause)));
    json_object_set_new(row, "profile", json_string(profile_name(clause->profile)));
    json_object_set_new(row, "document", json_string(clause->document));
    json_object_set_new(row, "section", json_string(clause->section));
    json_object_set_new(row, "text", json_string(clause->text));
    json_object_set_new(row, "judged", json_string(judged(clause)));
    json_object_set_new(row, "how", json_string(clause->how));
    return row;
}

int cli_clauses(int argc, char **argv) {
    Options options;
    int code = cli_options(&options, argc, argv, "p", help);
    if (code >= 0) return code;
    if (options.file_count)
        return cli_reject(&options, EXIT_REQUEST, "clauses", "no file is expected, but %s",
                          options.files[0]);
    json_t *document = report_json("clauses"), *rows = json_array();
    unsigned documented = 0, windows = 0;
    for (unsigned i = 1; i < CLAUSES; i++) {
        const Clause *clause = clause_get((ClauseId)i);
        if (options.profile_given && !options.windows && clause->profile == PROFILE_WINDOWS)
            continue;
        *(clause->profile == PROFILE_WINDOWS ? &windows : &documented) += 1;
        json_array_append_new(rows, as_json(clause));
        if (options.json) continue;
        printf("%s  %s\n  binds the %s, profile %s, judged: %s\n  %s, %s\n", clause->id,
               clause->text, binds(clause), profile_name(clause->profile), clause->how,
               clause->document, clause->section);
    }
    json_object_set_new(document, "clauses", rows);
    FILE *out = cli_out(&options);
    fprintf(out, "cbfuzz clauses: %u clauses, %u documented, %u windows\n", documented + windows,
            documented, windows);
    if (options.json) return report_json_end(document, 0);
    json_decref(document);
    return cli_end(0, "clauses");
}
