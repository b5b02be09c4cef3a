/* cbfuzz clauses: the register of requirements. */
#include <string.h>

#include "cli/cli.h"
#include "harness/interrupt.h"
#include "report/matrix.h"

static const char help[] =
    "usage: cbfuzz clauses [--profile P] [--matrix [--markdown]] [--json]\n\n"
    "Lists the clauses: id, whom it binds, profile, requirement, source. With --profile\n"
    "documented only those of the five documents.\n\n"
    "  --matrix      what each clause has instead, read from the source tree: lines of the\n"
    "                reference machine, cases, wrong implementations that break it, and\n"
    "                whether fuzzing counts it; 1 is the exit code for a gap that\n"
    "                conformance/matrix.txt does not explain\n"
    "  --markdown    as a table for a README\n"
    "  --json        one JSON document on standard output\n";

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

static void print_clause(const Clause *clause) {
    printf("%s  %s\n  binds the %s, profile %s, judged: %s\n  %s, %s\n", clause->id, clause->text,
           binds(clause), profile_name(clause->profile), clause->how, clause->document,
           clause->section);
}

static int tell_problems(const Matrix *matrix, json_t *document) {
    json_t *problems = json_array();
    for (unsigned i = 0; i < matrix->problem_count; i++) {
        cli_fail(EXIT_FINDING, "clauses", "%s", matrix->problems[i]);
        json_array_append_new(problems, report_json_text(matrix->problems[i]));
    }
    json_object_set_new(document, "problems", problems);
    return matrix->mistake ? EXIT_REQUEST : matrix->problem_count ? EXIT_FINDING : 0;
}

int cli_clauses(int argc, char **argv) {
    static Matrix matrix;
    Options options;
    char error[1200];
    int code = cli_options(&options, argc, argv, "pmM", help);
    if (code >= 0) return code;
    if (options.file_count)
        return cli_reject(&options, EXIT_REQUEST, "clauses", "no file is expected, but %s",
                          options.files[0]);
    if (options.markdown && !options.matrix)
        return cli_reject(&options, EXIT_REQUEST, "clauses", "--markdown needs --matrix");
    if (options.matrix && !matrix_read(&matrix, error, sizeof error))
        return cli_reject(&options, EXIT_REQUEST, "clauses", "%s", error);
    interrupt_defer();
    json_t *document = report_json("clauses"), *rows = json_array();
    unsigned documented = 0, windows = 0;
    bool all = !options.profile_given || options.windows;
    for (unsigned i = 1; i < CLAUSES; i++) {
        const Clause *clause = clause_get((ClauseId)i);
        if (!all && clause->profile == PROFILE_WINDOWS) continue;
        *(clause->profile == PROFILE_WINDOWS ? &windows : &documented) += 1;
        json_t *row = as_json(clause);
        if (options.matrix) matrix_json(row, &matrix, (ClauseId)i);
        else if (!options.json) print_clause(clause);
        json_array_append_new(rows, row);
    }
    json_object_set_new(document, "clauses", rows);
    FILE *out = cli_out(&options);
    if (options.markdown) matrix_markdown(out, &matrix, all);
    else if (options.matrix) matrix_text(out, &matrix, all);
    code = options.matrix ? tell_problems(&matrix, document) : 0;
    if (!options.markdown)
        fprintf(out, "cbfuzz clauses: %u clauses, %u documented, %u windows", documented + windows,
                documented, windows);
    if (options.matrix && !options.markdown)
        fprintf(out, ", %u cases, %u wrong implementations, %u problems", matrix.cases,
                matrix.wrong, matrix.problem_count);
    if (!options.markdown) fputc('\n', out);
    matrix_free(&matrix);
    if (options.json) return cli_json_end(document, code);
    json_decref(document);
    return cli_end(code, "clauses");
}
