/* Names of NTSTATUS values: the table, and the look-up in both directions. */
#include "program/status.h"

#include <string.h>

/* clang-format off */
static const struct { uint32_t status; const char *name; } statuses[] = {
    {0x00000000, "STATUS_SUCCESS"},
    {0x00000102, "STATUS_TIMEOUT"},
    {0x00000103, "STATUS_PENDING"},
    {0x40000000, "STATUS_OBJECT_NAME_EXISTS"},
    {0x80000005, "STATUS_BUFFER_OVERFLOW"},
    {0x8000001A, "STATUS_NO_MORE_ENTRIES"},
    {0xC0000001, "STATUS_UNSUCCESSFUL"},
    {0xC0000002, "STATUS_NOT_IMPLEMENTED"},
    {0xC0000003, "STATUS_INVALID_INFO_CLASS"},
    {0xC0000004, "STATUS_INFO_LENGTH_MISMATCH"},
    {0xC0000005, "STATUS_ACCESS_VIOLATION"},
    {0xC0000008, "STATUS_INVALID_HANDLE"},
    {0xC000000D, "STATUS_INVALID_PARAMETER"},
    {0xC000000E, "STATUS_NO_SUCH_DEVICE"},
    {0xC0000010, "STATUS_INVALID_DEVICE_REQUEST"},
    {0xC0000017, "STATUS_NO_MEMORY"},
    {0xC0000022, "STATUS_ACCESS_DENIED"},
    {0xC0000023, "STATUS_BUFFER_TOO_SMALL"},
    {0xC0000024, "STATUS_OBJECT_TYPE_MISMATCH"},
    {0xC0000033, "STATUS_OBJECT_NAME_INVALID"},
    {0xC0000034, "STATUS_OBJECT_NAME_NOT_FOUND"},
    {0xC0000035, "STATUS_OBJECT_NAME_COLLISION"},
    {0xC0000039, "STATUS_OBJECT_PATH_INVALID"},
    {0xC000003A, "STATUS_OBJECT_PATH_NOT_FOUND"},
    {0xC000003B, "STATUS_OBJECT_PATH_SYNTAX_BAD"},
    {0xC0000044, "STATUS_QUOTA_EXCEEDED"},
    {0xC0000056, "STATUS_DELETE_PENDING"},
    {0xC0000061, "STATUS_PRIVILEGE_NOT_HELD"},
    {0xC000009A, "STATUS_INSUFFICIENT_RESOURCES"},
    {0xC00000A3, "STATUS_DEVICE_NOT_READY"},
    {0xC00000BB, "STATUS_NOT_SUPPORTED"},
    {0xC00000E5, "STATUS_INTERNAL_ERROR"},
    {0xC00000EF, "STATUS_INVALID_PARAMETER_1"},
    {0xC00000F0, "STATUS_INVALID_PARAMETER_2"},
    {0xC00000F1, "STATUS_INVALID_PARAMETER_3"},
    {0xC00000F2, "STATUS_INVALID_PARAMETER_4"},
    {0xC0000120, "STATUS_CANCELLED"},
    {0xC0000184, "STATUS_INVALID_DEVICE_STATE"},
    {0xC0000225, "STATUS_NOT_FOUND"},
};
/* clang-format on */

enum { STATUSES = sizeof statuses / sizeof *statuses };

const char *status_name(uint32_t status) {
    for (unsigned i = 0; i < STATUSES; i++)
        if (statuses[i].status == status) return statuses[i].name;
    return NULL;
}

bool status_by_name(const char *name, size_t length, uint32_t *status) {
    for (unsigned i = 0; i < STATUSES; i++)
        if (strlen(statuses[i].name) == length && memcmp(statuses[i].name, name, length) == 0) {
            *status = statuses[i].status;
            return true;
        }
    return false;
}

const char *status_listed(unsigned place) {
    return place < STATUSES ? statuses[place].name : NULL;
}
