/* The known failures of an implementation: one line each, CASE  # REASON. */
#define _GNU_SOURCE
#include "conform/baseline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "program/utf8.h"

static bool refuse(const Baseline *baseline, unsigned line, const char *what, char *error,
                   size_t error_size) {
    snprintf(error, error_size, "%s:%u: %s", baseline->path, line, what);
    return false;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* Text of people: valid UTF-8 without controls. */
static const char *mistake_in(const char *text, size_t length) {
    for (size_t at = 0; at < length;) {
        uint32_t character;
        unsigned read = utf8_read(text + at, length - at, &character);
        if (!read) return "not UTF-8; a baseline is a text file in UTF-8";
        if (character < 0x20 && character != '\t')
            return "a control character; a baseline is a text file";
        at += read;
    }
    return NULL;
}

/* CASE, blanks, #, REASON. False: there is no reason, or no case. */
static bool split(BaselineLine *line) {
    char *text = line->text + strspn(line->text, " \t");
    line->reason = strdup("");
    if (!*text || *text == '#') return line->reason != NULL;
    char *mark = text;
    while ((mark = strchr(mark, '#')) && !is_blank(mark[-1]))
        mark++;
    if (!mark) return false;
    char *end = mark;
    while (is_blank(end[-1]))
        end--;
    free(line->reason);
    line->reason = strdup(mark + 1 + strspn(mark + 1, " \t"));
    line->name = strndup(text, (size_t)(end - text));
    return line->name && line->reason && *line->reason;
}

static bool take_line(Baseline *baseline, const char *text, size_t length, char *error,
                      size_t error_size) {
    unsigned number = baseline->count + 1;
    BaselineLine *larger = realloc(baseline->lines, number * sizeof *larger);
    if (!larger) return refuse(baseline, number, "out of memory", error, error_size);
    baseline->lines = larger;
    if (length && text[length - 1] == '\r') {
        baseline->crlf = true;
        length--;
    }
    while (length && is_blank(text[length - 1]))
        length--;
    BaselineLine *line = &larger[baseline->count++];
    *line = (BaselineLine){.text = strndup(text, length), .line = number};
    const char *mistake = mistake_in(text, length);
    if (mistake) return refuse(baseline, number, mistake, error, error_size);
    if (!line->text || !split(line))
        return refuse(baseline, number, "a case and a reason are expected: CASE  # REASON", error,
                      error_size);
    for (unsigned i = 0; line->name && i + 1 < baseline->count; i++) {
        if (!larger[i].name || strcmp(larger[i].name, line->name) != 0) continue;
        snprintf(error, error_size, "%s:%u: %s stands in line %u already", baseline->path, number,
                 line->name, larger[i].line);
        return false;
    }
    return true;
}

bool baseline_read(Baseline *baseline, const char *path, bool may_miss, char *error,
                   size_t error_size) {
    *baseline = (Baseline){.path = path};
    struct stat status;
    FILE *in = fopen(path, "r");
    if (!in && errno == ENOENT && may_miss) return true;
    if (!in || fstat(fileno(in), &status) != 0 || S_ISDIR(status.st_mode)) {
        snprintf(error, error_size, "%s: %s", *path ? path : "\"\"", strerror(in ? EISDIR : errno));
        if (in) fclose(in);
        return false;
    }
    char *text = NULL;
    size_t capacity = 0;
    ssize_t length;
    bool good = true;
    while (good && (length = getline(&text, &capacity, in)) > 0) {
        const char *from = text;
        if (!baseline->count && length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
            from += 3; /* a byte order mark, as some editors write it */
            length -= 3;
        }
        if (length && from[length - 1] == '\n') length--;
        good = take_line(baseline, from, (size_t)length, error, error_size);
    }
    if (good && ferror(in)) {
        snprintf(error, error_size, "%s: %s", path, strerror(errno));
        good = false;
    }
    free(text);
    fclose(in);
    return good;
}

void baseline_free(Baseline *baseline) {
    for (unsigned i = 0; i < baseline->count; i++) {
        free(baseline->lines[i].text);
        free(baseline->lines[i].name);
        free(baseline->lines[i].reason);
    }
    free(baseline->lines);
    *baseline = (Baseline){0};
}

static Case *find(Suite *suite, const char *name) {
    for (unsigned i = 0; i < suite->count; i++)
        if (strcmp(suite->cases[i].name, name) == 0) return &suite->cases[i];
    return NULL;
}

/* The case whose file this is, on whatever way it was found. */
static const Case *find_file(const Suite *suite, const char *path) {
    char *wanted = realpath(path, NULL);
    const Case *found = NULL;
    for (unsigned i = 0; wanted && !found && i < suite->count; i++) {
        char *real = realpath(suite->cases[i].path, NULL);
        if (real && strcmp(real, wanted) == 0) found = &suite->cases[i];
        free(real);
    }
    free(wanted);
    return found;
}

/* Some write the path of a case where its name is meant. */
static bool resolve(BaselineLine *line, Suite *suite) {
    if (!line->name || find(suite, line->name)) return true;
    const Case *same = find_file(suite, line->name);
    char *name = same ? strdup(same->name) : suite_name(suite, line->name);
    if (!name) return false;
    free(line->name);
    line->name = name;
    return true;
}

/* The case is no failure: the line that says so is what has to go. */
static void make_stale(const Baseline *baseline, BaselineLine *line, Case *one, const char *why) {
    case_set(one, CASE_STALE, "%s, but %s:%u knows it as failing: %s", why, baseline->path,
             line->line, line->reason);
    one->where = strdup(baseline->path);
    one->line = line->line;
    line->obsolete = true;
}

bool baseline_apply(Baseline *baseline, Suite *suite) {
    for (unsigned i = 0; i < baseline->count; i++) {
        BaselineLine *line = &baseline->lines[i];
        if (!resolve(line, suite)) return false;
        Case *one = line->name ? find(suite, line->name) : NULL;
        if (one && one->status == CASE_STALE) line->obsolete = true; /* said before */
        if (one && one->status == CASE_FAILS) case_set(one, CASE_KNOWN, "%s", line->reason);
        if (one && one->status == CASE_HOLDS) make_stale(baseline, line, one, "it holds");
        if (one || !line->name || suite_has_file(suite, line->name)) continue;
        one = suite_add(suite, line->name, line->name);
        if (!one) return false;
        make_stale(baseline, line, one, "there is no such case");
    }
    suite_sort(suite);
    return true;
}

char *baseline_updated(const Baseline *baseline, const Suite *suite, size_t *size) {
    char *text = NULL;
    const char *end = baseline->crlf ? "\r\n" : "\n";
    FILE *out = open_memstream(&text, size);
    if (!out) return NULL;
    for (unsigned i = 0; i < baseline->count; i++)
        if (!baseline->lines[i].obsolete) fprintf(out, "%s%s", baseline->lines[i].text, end);
    for (unsigned i = 0; i < suite->count; i++) {
        if (suite->cases[i].status != CASE_FAILS) continue;
        char signature[160]; /* what a new entry gives as its reason */
        fprintf(out, "%s  # %s%s", suite->cases[i].name,
                verdict_signature(&suite->cases[i].judgement, signature), end);
    }
    return fclose(out) == 0 ? text : NULL;
}

void baseline_accept(Suite *suite) {
    for (unsigned i = suite->count; i-- > 0;) {
        Case *one = &suite->cases[i];
        char signature[160];
        if (one->status == CASE_FAILS)
            case_set(one, CASE_KNOWN, "%s", verdict_signature(&one->judgement, signature));
        else if (case_gone(one)) suite_remove(suite, i);
        else if (one->status == CASE_STALE) one->status = CASE_HOLDS;
    }
}
