/* What a run of the suite comes to, as all reports tell it. */
#include "conform/summary.h"

bool summary_asks(const Summary *summary, ClauseId clause) {
    return summary->ask != ASK_DOCUMENTED || clause_get(clause)->profile == PROFILE_DOCUMENTED;
}

Summary summary_of(const Suite *suite, const Judge *judge, Ask ask, double seconds) {
    Summary summary = {.suite = suite,
                       .implementation = judge->runner.implementation->path,
                       .ask = ask,
                       .readings = judge->readings[ask == ASK_WINDOWS],
                       .statements = judge->statements,
                       .effective = judge->effective,
                       .kinds = judge->kinds,
                       .seconds = seconds};
    for (unsigned i = 0; i < suite->count; i++) {
        const Case *one = &suite->cases[i];
        summary.counts[one->status]++;
        summary.gone += case_gone(one);
        summary.misuse += one->status == CASE_HOLDS && one->judgement.verdict == VERDICT_MISUSE;
        for (unsigned c = 0; one->ran && c < one->clause_count; c++)
            clause_set_add(&summary.named, one->clauses[c]);
    }
    summary.cases = suite->count - summary.gone;
    for (unsigned i = 1; i < CLAUSES; i++) {
        bool asked = summary_asks(&summary, (ClauseId)i);
        summary.coverable += asked;
        summary.covered += asked && clause_set_has(&summary.named, (ClauseId)i);
    }
    return summary;
}
