/* The traceability matrix as text, Markdown and JSON. */
#ifndef CBFUZZ_REPORT_MATRIX_H
#define CBFUZZ_REPORT_MATRIX_H

#include <jansson.h>
#include <stdio.h>

#include "conform/matrix.h"

/* Counts, with the reasons for what is empty below the table. */
void matrix_text(FILE *out, const Matrix *matrix, bool windows);

/* A table for a README: files of the machine, topics of the cases, bugs. */
void matrix_markdown(FILE *out, const Matrix *matrix, bool windows);

/* The columns of one clause, and "explained", into its row. */
void matrix_json(json_t *row, const Matrix *matrix, ClauseId clause);

#endif
