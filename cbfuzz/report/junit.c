/* A run of the suite as JUnit's XML: what the schemas of Ant and of Jenkins' plug-ins both
 * allow, which GitLab and GitHub's reporters read as well.
 */
#define _GNU_SOURCE
#include <libxml/xmlwriter.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "harness/interrupt.h"
#include "report/conform.h"

/* The writer, and whether all went well. */
typedef struct {
    xmlTextWriterPtr xml;
    bool good;
} Writer;

static void check(Writer *writer, int result) {
    writer->good &= result >= 0;
}

static void open_element(Writer *writer, const char *name) {
    check(writer, xmlTextWriterStartElement(writer->xml, BAD_CAST name));
}

static void close_element(Writer *writer) {
    check(writer, xmlTextWriterEndElement(writer->xml));
}

static void attribute(Writer *writer, const char *name, const char *text) {
    char *clean = conform_clean(text);
    check(writer,
          clean ? xmlTextWriterWriteAttribute(writer->xml, BAD_CAST name, BAD_CAST clean) : -1);
    free(clean);
}

static void number(Writer *writer, const char *name, unsigned value) {
    char text[16];
    snprintf(text, sizeof text, "%u", value);
    attribute(writer, name, text);
}

static void seconds(Writer *writer, double value) {
    char text[32];
    snprintf(text, sizeof text, "%.6f", value);
    attribute(writer, "time", text);
}

/* An element that says why a case did not pass. */
static void outcome(Writer *writer, const char *element, const char *type, const char *message,
                    const char *text) {
    open_element(writer, element);
    if (type) attribute(writer, "type", type);
    attribute(writer, "message", message);
    if (text) check(writer, xmlTextWriterWriteString(writer->xml, BAD_CAST text));
    close_element(writer);
}

/* Folders are classes. */
static void class(Writer *writer, const char *name, const char *topic) {
    char *text = NULL;
    if (asprintf(&text, "cbfuzz%s%s", *topic ? "." : "", topic) < 0) text = NULL;
    writer->good &= text != NULL;
    attribute(writer, name, text ? text : "");
    free(text);
}

static void write_case(Writer *writer, const Case *one, const ReportCall *call) {
    char signature[160];
    const char *slash = strrchr(one->name, '/'), *leaf = slash ? slash + 1 : one->name;
    char *headline = conform_headline(one), *details = conform_details(one, call);
    writer->good &= headline && details;
    if (!writer->good) return;
    open_element(writer, "testcase");
    class(writer, "classname", one->topic);
    attribute(writer, "name", leaf);
    seconds(writer, one->seconds);
    switch (one->status) {
    case CASE_HOLDS: break;
    case CASE_FAILS:
        outcome(writer, "failure", verdict_signature(&one->judgement, signature), headline,
                details);
        break;
    case CASE_STALE: outcome(writer, "failure", "stale", headline, details); break;
    case CASE_KNOWN:
    case CASE_SKIPPED: outcome(writer, "skipped", NULL, headline, NULL); break;
    case CASE_NOT_RUN:
        if (interrupt_signal) outcome(writer, "skipped", NULL, "not run: interrupted", NULL);
        else outcome(writer, "error", "not run", *headline ? headline : "not run", details);
        break;
    case CASE_WRONG: outcome(writer, "error", "mistake", headline, details); break;
    case CASE_STATUSES: break;
    }
    close_element(writer);
    free(headline);
    free(details);
}

static bool is_error(const Case *one) {
    return one->status == CASE_WRONG || (one->status == CASE_NOT_RUN && !interrupt_signal);
}

static void write_counts(Writer *writer, const Case *cases, unsigned count) {
    unsigned failures = 0, errors = 0, skipped = 0;
    double time = 0;
    for (unsigned i = 0; i < count; i++) {
        CaseStatus status = cases[i].status;
        failures += status == CASE_FAILS || status == CASE_STALE;
        errors += is_error(&cases[i]);
        skipped += status == CASE_KNOWN || status == CASE_SKIPPED ||
                   (status == CASE_NOT_RUN && interrupt_signal);
        time += cases[i].seconds;
    }
    number(writer, "tests", count);
    number(writer, "failures", failures);
    number(writer, "errors", errors);
    number(writer, "skipped", skipped);
    seconds(writer, time);
}

static void property(Writer *writer, const char *name, const char *value) {
    open_element(writer, "property");
    attribute(writer, "name", name);
    attribute(writer, "value", value);
    close_element(writer);
}

static void open_suite(Writer *writer, unsigned id, const char *timestamp, const Summary *summary,
                       const Case *cases, unsigned count) {
    static const char *const profiles[] = {"documented", "windows", "both"};
    open_element(writer, "testsuite");
    class(writer, "name", cases->topic);
    attribute(writer, "package", "cbfuzz");
    number(writer, "id", id);
    attribute(writer, "timestamp", timestamp);
    attribute(writer, "hostname", "localhost");
    write_counts(writer, cases, count);
    open_element(writer, "properties");
    property(writer, "implementation", summary->implementation);
    property(writer, "profile", profiles[summary->ask]);
    close_element(writer);
}

static void close_suite(Writer *writer) {
    open_element(writer, "system-out");
    close_element(writer);
    open_element(writer, "system-err");
    close_element(writer);
    close_element(writer);
}

static void write_suites(Writer *writer, const Summary *summary, const ReportCall *call) {
    const Suite *suite = summary->suite;
    char timestamp[32];
    time_t clock = time(NULL);
    strftime(timestamp, sizeof timestamp, "%Y-%m-%dT%H:%M:%S", gmtime(&clock));
    open_element(writer, "testsuites");
    for (unsigned from = 0, to = 0, id = 0; from < suite->count; from = to, id++) {
        while (to < suite->count && strcmp(suite->cases[from].topic, suite->cases[to].topic) == 0)
            to++;
        open_suite(writer, id, timestamp, summary, suite->cases + from, to - from);
        for (unsigned i = from; i < to; i++)
            write_case(writer, &suite->cases[i], call);
        close_suite(writer);
    }
    close_element(writer);
}

char *conform_junit(const Summary *summary, const ReportCall *call, size_t *size) {
    xmlBufferPtr buffer = xmlBufferCreate();
    Writer writer = {buffer ? xmlNewTextWriterMemory(buffer, 0) : NULL, true};
    char *text = NULL;
    if (writer.xml) {
        xmlTextWriterSetIndent(writer.xml, 1);
        check(&writer, xmlTextWriterStartDocument(writer.xml, NULL, "UTF-8", NULL));
        write_suites(&writer, summary, call);
        check(&writer, xmlTextWriterEndDocument(writer.xml));
        xmlFreeTextWriter(writer.xml); /* flushes */
        *size = (size_t)xmlBufferLength(buffer);
        if (writer.good) text = strndup((const char *)xmlBufferContent(buffer), *size);
    }
    if (buffer) xmlBufferFree(buffer);
    return text;
}
