/* Traceability: what each clause has in the machine, the cases, the wrong implementations
 * and the fuzzer; read from the source tree.
 */
#ifndef CBFUZZ_CONFORM_MATRIX_H
#define CBFUZZ_CONFORM_MATRIX_H

#include "conform/suite.h"

typedef enum { COLUMN_MACHINE, COLUMN_CASES, COLUMN_WRONG, COLUMN_FUZZ, COLUMNS } Column;

/* What there is for one clause in one column. */
typedef struct {
    char **items; /* "create.c:112", names of cases and of wrong implementations, "counted" */
    unsigned count;
    char *why; /* it is empty, as conformance/matrix.txt explains; or NULL */
} Cell;

typedef struct {
    Cell cells[CLAUSES][COLUMNS];
    char **problems; /* a line each */
    unsigned problem_count;
    bool mistake;          /* a problem is a mistake in a file, not a gap */
    unsigned cases, wrong; /* all that were read */
} Matrix;

/* "machine", "cases", "wrong", "fuzz" */
const char *column_name(Column column);

/* Fills the matrix. A gap is a cell that is empty and not explained, a caller's rule
 * that no case breaks, a case that is about such a rule first of all and does not break
 * it, or two clauses that say the same. False: the source tree is
 * not there, `error` says what is missing. */
bool matrix_read(Matrix *matrix, char *error, size_t error_size);
void matrix_free(Matrix *matrix);

#endif
