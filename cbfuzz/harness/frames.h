/* Which functions of an implementation were running when it failed.
 *
 * The process that fails notes addresses as offsets into the shared object: the
 * same in every process. Whoever watches it turns them into names.
 */
#ifndef CBFUZZ_HARNESS_FRAMES_H
#define CBFUZZ_HARNESS_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FRAMES_KEPT = 3, /* innermost ones: where it failed, and who had called that */
    FRAMES_TEXT = 160
};

/* Plain data, fit for shared memory. Offset 0 ends it. */
typedef struct {
    uint32_t offsets[FRAMES_KEPT];
} Frames;

/* From now on the shared object that is loaded from this path is the implementation. */
void frames_of(const char *path);

/* Is the address in the implementation's code? Its offset, else 0. */
uint32_t frames_offset(const void *address);

/* Walks up from here, at most to the function `boundary` (NULL: to the end), and notes
 * the implementation's innermost frames. `called` gets the name of the host's
 * function that the innermost of them had called, as far as it has one; else "".
 * False: it had called us, and we have called the host. */
bool frames_take(Frames *frames, const void *boundary, char *called, size_t size);

/* The same where the sanitizer makes this report: a stack overflow ends anywhere, so its
 * outermost frames are taken, and a jump to nowhere has none. */
void frames_take_report(Frames *frames, const void *boundary, const char *report);

/* Notes the routine through which it was entered: the one frame of an endless loop that
 * is the same wherever it is interrupted. */
void frames_take_entry(Frames *frames, const void *boundary);

/* Which file the offsets are of, for frames_name: a readable copy at `path`, to be
 * shown as `shown`. Both must stay. */
void frames_file(const char *path, const char *shown);

/* "Sweep (mine.c:52) < ExUnregisterCallback": the place of the innermost frame, the
 * functions of all. Without symbols: "mine.so+0x1f30". Returns buffer. */
const char *frames_name(const Frames *frames, char buffer[FRAMES_TEXT]);

#endif
