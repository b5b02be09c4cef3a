/* The head of an emitted program: what it shows, how to build it, whose routines it calls. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "harness/load.h"
#include "report/emitter.h"
#include "report/report.h"

/* "diverges NOTIFY-ORDER", "bugchecks PoolDoubleFree", "leaks": as the support says it. */
void emit_head_failure(Emitter *emitter) {
    const Judgement *judgement = &emitter->emission->finding->judgement;
    char subject[80];
    const char *what = "";
    if (judgement->verdict == VERDICT_DIVERGES) what = verdict_subject(judgement, subject);
    if (judgement->verdict == VERDICT_BUGCHECKS || judgement->verdict == VERDICT_CRASHES)
        what = judgement->kind;
    fprintf(emitter->out, "\n#define FAILURE \"%s%s%s\"\n#define EXPECTED ",
            verdict_name(judgement->verdict), *what ? " " : "", what);
    emit_calls_text(emitter->out, emitter->emission->finding->expected);
    fputc('\n', emitter->out);
}

static void print_command(Emitter *emitter) {
    const Emission *emission = emitter->emission;
    FILE *out = emitter->out;
    char path[4200];
    char *absolute = realpath(emission->implementation->path, NULL);
    char *stem = strdup(emission->output);
    char *dot = stem ? strrchr(stem, '.') : NULL;
    if (dot && strcmp(dot, ".c") == 0) *dot = 0;
    else dot = NULL;
    fputs(" *   ", out);
    report_word(out, emission->compiler);
    fputs(" -g -fsanitize=address -fshort-wchar -fms-extensions -Wno-microsoft -I", out);
    snprintf(path, sizeof path, "%s/cbfuzz", emission->root);
    report_word(out, path);
    fputs(" -I", out);
    snprintf(path, sizeof path, "%s/cbfuzz/nt/include", emission->root);
    report_word(out, path);
    fputc(' ', out);
    report_word(out, emission->output);
    fputc(' ', out);
    if (!emission->implementation->builtin) {
        report_word(out, absolute ? absolute : emission->implementation->path);
        fputc(' ', out);
    }
    snprintf(path, sizeof path, "%s/build/libkernel.a", emission->root);
    report_word(out, path);
    fputs(" -o ", out);
    snprintf(path, sizeof path, "%s%s", stem ? stem : "a", dot ? "" : ".out");
    report_word(out, path);
    fputs("\n", out);
    free(absolute);
    free(stem);
}

/* A line of the head's comment. */
static void print_head_line(FILE *out, const char *label, const char *text) {
    if (!*text) return;
    fprintf(out, " *   %-9s ", label);
    emit_calls_comment(out, text);
    fputc('\n', out);
}

void emit_head_comment(Emitter *emitter) {
    const Finding *finding = emitter->emission->finding;
    const Judgement *judgement = &finding->judgement;
    FILE *out = emitter->out;
    char subject[80], label[32], file[4200];
    bool fails = verdict_is_finding(judgement->verdict);
    fprintf(out, "/* %s", verdict_title(judgement->verdict));
    if (fails) fprintf(out, " %s", verdict_subject(judgement, subject));
    if (judgement->clause != CLAUSE_NONE) fprintf(out, ": %s", clause_get(judgement->clause)->text);
    fputs("\n", out);
    if (judgement->line == NO_LINE) snprintf(label, sizeof label, "at the end");
    else snprintf(label, sizeof label, "step %u", judgement->step);
    if (fails) {
        print_head_line(out, label, finding->inside[0] ? finding->inside : finding->statement);
        if (finding->inside[0]) print_head_line(out, "in it", finding->statement);
        print_head_line(out, "expected", finding->expected);
        print_head_line(out, "observed", finding->observed);
    }
    fputs(" *\n * Made by cbfuzz emit-c from ", out);
    emit_calls_comment(out, load_printable(emitter->emission->file, file, sizeof file));
    fputs(". Build and run it:\n", out);
    print_command(emitter);
    fputs(" * It ends with code 1 when it fails like this, 0 when it does not, 2 when it fails\n"
          " * otherwise.\n */\n",
          out);
}

/* What the implementation has of its own is called through its shared object: the linker
 * would take the environment's. */
void emit_head_own_routines(Emitter *emitter) {
    static const struct {
        const char *name, *type;
    } own[] = {
        {"ObReferenceObject", "LONG_PTR (*)(PVOID)"},
        {"ObDereferenceObject", "LONG_PTR (*)(PVOID)"},
        {"ObMakeTemporaryObject", "VOID (*)(PVOID)"},
        {"KeRegisterProcessorChangeCallback",
         "PVOID (*)(PPROCESSOR_CALLBACK_FUNCTION, PVOID, ULONG)"},
        {"KeDeregisterProcessorChangeCallback", "VOID (*)(PVOID)"},
        {"KiNotifyProcessorChange", "VOID (*)(PKE_PROCESSOR_CHANGE_NOTIFY_CONTEXT, PNTSTATUS)"}};
    const Implementation *implementation = emitter->emission->implementation;
    FILE *out = emitter->out;
    bool any = false, changes = false, hears = false, initializes = implementation->builtin;
    const char *name;
    bool required;
    fputc('\n', out);
    for (unsigned i = 0; (name = implementation_export(i, &required)) != NULL; i++) {
        if (!(implementation->exports >> i & 1)) continue;
        initializes |= strcmp(name, "CbfuzzInitialize") == 0;
        for (unsigned k = 0; k < sizeof own / sizeof own[0]; k++) {
            if (strcmp(name, own[k].name) != 0) continue;
            if (!any) {
                char *absolute = realpath(implementation->path, NULL);
                fputs("#include <dlfcn.h>\n#define OWN(type, name) ((type)dlsym(dlopen(", out);
                emit_calls_text(out, absolute ? absolute : implementation->path);
                fputs(", RTLD_LAZY), name))\n", out);
                free(absolute);
            }
            any = true;
            changes |= k == 3;
            hears |= k == 5;
            fprintf(out, "#undef %s\n#define %s OWN(%s, \"%s\")\n", name, name, own[k].type, name);
        }
    }
    if (initializes) fputs("#define INITIALIZE\nNTSTATUS CbfuzzInitialize(VOID);\n", out);
    if (!changes)
        fputs("VOID KiNotifyProcessorChange(PKE_PROCESSOR_CHANGE_NOTIFY_CONTEXT, PNTSTATUS);\n",
              out);
    if (changes && !hears) fputs("#define NOTIFY_CHANGE(context, status) ((void)0)\n", out);
    else fputs("#define NOTIFY_CHANGE KiNotifyProcessorChange\n", out);
}
