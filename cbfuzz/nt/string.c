/* Counted strings: any 16-bit units, embedded zeros and lone surrogates too. */
#include "internal.h"

/* Upper case beyond ASCII: Latin-1, Latin Extended-A, Greek and Cyrillic letters. */
static WCHAR upcase_beyond_ascii(WCHAR unit) {
    if (unit >= 0xE0 && unit <= 0xFE && unit != 0xF7) return unit - 0x20;
    if (unit == 0xFF) return 0x178;
    if (unit >= 0x100 && unit <= 0x17E) {
        if (unit == 0x131 || unit == 0x138 || unit == 0x149 || unit == 0x130)
            return unit; /* no partner of one unit, or none that the kernel knows */
        bool odd_is_upper = (unit >= 0x139 && unit <= 0x148) || unit >= 0x179;
        bool is_lower = ((unit & 1) != 0) != odd_is_upper;
        return unit == 0x178 || !is_lower ? unit : unit - 1;
    }
    if (unit >= 0x3B1 && unit <= 0x3CB && unit != 0x3C2) return unit - 0x20;
    if (unit == 0x3AC) return 0x386;
    if (unit >= 0x3AD && unit <= 0x3AF) return unit - 0x25;
    if (unit == 0x3CC) return 0x38C;
    if (unit == 0x3CD || unit == 0x3CE) return unit - 0x3F;
    if (unit >= 0x430 && unit <= 0x44F) return unit - 0x20;
    if (unit >= 0x450 && unit <= 0x45F) return unit - 0x50;
    return unit;
}

WCHAR nt_upcase(WCHAR unit) {
    if (__builtin_expect(unit < 0x80, 1)) return unit >= 'a' && unit <= 'z' ? unit - 0x20 : unit;
    return upcase_beyond_ascii(unit);
}

/* Of the upcased units, so that one hash serves both kinds of look-up. */
uint32_t nt_hash_units(const WCHAR *units, size_t count) {
    uint32_t hash = 0;
    for (size_t i = 0; i < count; i++)
        hash = hash * 65599 + nt_upcase(units[i]);
    return hash;
}

bool nt_equal_units(const WCHAR *a, const WCHAR *b, size_t count, bool insensitive) {
    for (size_t i = 0; i < count; i++)
        if (a[i] != b[i] && !(insensitive && nt_upcase(a[i]) == nt_upcase(b[i]))) return false;
    return true;
}

static size_t length_of(PCWSTR source) {
    size_t length = 0;
    while (source[length] != 0)
        length++;
    return length;
}

WCHAR RtlUpcaseUnicodeChar(WCHAR Unit) {
    return nt_upcase(Unit);
}

/* The letter of which it is the upper case; where that is depends on the alphabet. */
WCHAR RtlDowncaseUnicodeChar(WCHAR Unit) {
    static const SHORT distances[] = {0x20, 1, 0x50, 0x25, 0x26, 0x40, 0x3F, 0xFF - 0x178};
    if (nt_upcase(Unit) != Unit) return Unit;
    for (size_t i = 0; i < RTL_NUMBER_OF(distances); i++) {
        WCHAR lower = (WCHAR)(Unit + distances[i]);
        if (lower != Unit && nt_upcase(lower) == Unit) return lower;
    }
    return Unit;
}

VOID RtlInitUnicodeString(PUNICODE_STRING String, PCWSTR Source) {
    size_t bytes = Source == NULL ? 0 : length_of(Source) * sizeof(WCHAR);
    if (bytes > UNICODE_STRING_MAX_BYTES - sizeof(WCHAR))
        bytes = UNICODE_STRING_MAX_BYTES - sizeof(WCHAR);
    String->Length = (USHORT)bytes;
    String->MaximumLength = Source == NULL ? 0 : (USHORT)(bytes + sizeof(WCHAR));
    String->Buffer = (PWSTR)Source;
}

NTSTATUS RtlInitUnicodeStringEx(PUNICODE_STRING String, PCWSTR Source) {
    if (Source != NULL && length_of(Source) > UNICODE_STRING_MAX_CHARS - 1)
        return STATUS_NAME_TOO_LONG;
    RtlInitUnicodeString(String, Source);
    return STATUS_SUCCESS;
}

BOOLEAN RtlEqualUnicodeString(PCUNICODE_STRING A, PCUNICODE_STRING B, BOOLEAN CaseInsensitive) {
    return A->Length == B->Length &&
           nt_equal_units(A->Buffer, B->Buffer, A->Length / sizeof(WCHAR), CaseInsensitive);
}

BOOLEAN RtlPrefixUnicodeString(PCUNICODE_STRING A, PCUNICODE_STRING B, BOOLEAN CaseInsensitive) {
    return A->Length <= B->Length &&
           nt_equal_units(A->Buffer, B->Buffer, A->Length / sizeof(WCHAR), CaseInsensitive);
}

LONG RtlCompareUnicodeStrings(PCWCH String1, SIZE_T String1Length, PCWCH String2,
                              SIZE_T String2Length, BOOLEAN CaseInsensitive) {
    for (SIZE_T i = 0; i < String1Length && i < String2Length; i++) {
        WCHAR a = String1[i], b = String2[i];
        if (CaseInsensitive) {
            a = nt_upcase(a);
            b = nt_upcase(b);
        }
        if (a != b) return (LONG)a - (LONG)b;
    }
    return (LONG)String1Length - (LONG)String2Length;
}

LONG RtlCompareUnicodeString(PCUNICODE_STRING A, PCUNICODE_STRING B, BOOLEAN CaseInsensitive) {
    return RtlCompareUnicodeStrings(A->Buffer, A->Length / sizeof(WCHAR), B->Buffer,
                                    B->Length / sizeof(WCHAR), CaseInsensitive);
}

VOID RtlCopyUnicodeString(PUNICODE_STRING Destination, PCUNICODE_STRING Source) {
    USHORT length = Source == NULL ? 0 : Source->Length;
    if (length > Destination->MaximumLength) length = Destination->MaximumLength;
    if (length != 0) RtlCopyMemory(Destination->Buffer, Source->Buffer, length);
    Destination->Length = length;
    if ((size_t)length + sizeof(WCHAR) <= Destination->MaximumLength)
        Destination->Buffer[length / sizeof(WCHAR)] = 0;
}

static NTSTATUS append(PUNICODE_STRING destination, PCWSTR source, size_t bytes) {
    size_t length = destination->Length + bytes;
    if (length > destination->MaximumLength) return STATUS_BUFFER_TOO_SMALL;
    if (bytes != 0) RtlMoveMemory((PCHAR)destination->Buffer + destination->Length, source, bytes);
    destination->Length = (USHORT)length;
    if (length + sizeof(WCHAR) <= destination->MaximumLength)
        destination->Buffer[length / sizeof(WCHAR)] = 0;
    return STATUS_SUCCESS;
}

NTSTATUS RtlAppendUnicodeStringToString(PUNICODE_STRING Destination, PCUNICODE_STRING Source) {
    return append(Destination, Source->Buffer, Source->Length);
}

NTSTATUS RtlAppendUnicodeToString(PUNICODE_STRING Destination, PCWSTR Source) {
    return append(Destination, Source, Source == NULL ? 0 : length_of(Source) * sizeof(WCHAR));
}

NTSTATUS RtlHashUnicodeString(PCUNICODE_STRING String, BOOLEAN CaseInsensitive, ULONG Algorithm,
                              PULONG Hash) {
    if (String == NULL || Hash == NULL || Algorithm > HASH_STRING_ALGORITHM_X65599)
        return STATUS_INVALID_PARAMETER;
    ULONG hash = 0;
    for (size_t i = 0; i < String->Length / sizeof(WCHAR); i++)
        hash = hash * 65599 + (CaseInsensitive ? nt_upcase(String->Buffer[i]) : String->Buffer[i]);
    *Hash = hash;
    return STATUS_SUCCESS;
}

void *nt_string_allocate(size_t bytes, const char *routine, const void *site) {
    if (NT_UNLIKELY(nt_current_thread->irql > APC_LEVEL))
        nt_stop_irql(NtRuleIrqlExAllocatePool, site, routine, APC_LEVEL);
    return nt_pool_allocate(BLOCK_PAGED, bytes == 0 ? sizeof(WCHAR) : bytes, 'grtS', site);
}

static NTSTATUS convert(PUNICODE_STRING to, PCUNICODE_STRING from, bool is_new,
                        WCHAR (*to_case)(WCHAR), const char *routine, const void *site) {
    if (is_new) {
        PWSTR buffer = nt_string_allocate(from->Length, routine, site);
        if (buffer == NULL) return STATUS_NO_MEMORY;
        *to = (UNICODE_STRING){from->Length, from->Length, buffer};
    } else if (from->Length > to->MaximumLength) {
        return STATUS_BUFFER_OVERFLOW;
    }
    for (size_t i = 0; i < from->Length / sizeof(WCHAR); i++)
        to->Buffer[i] = to_case(from->Buffer[i]);
    to->Length = from->Length;
    return STATUS_SUCCESS;
}

NTSTATUS RtlUpcaseUnicodeString(PUNICODE_STRING Destination, PCUNICODE_STRING Source,
                                BOOLEAN Allocate) {
    return convert(Destination, Source, Allocate, nt_upcase, __func__, NT_SITE);
}

NTSTATUS RtlDowncaseUnicodeString(PUNICODE_STRING Destination, PCUNICODE_STRING Source,
                                  BOOLEAN Allocate) {
    return convert(Destination, Source, Allocate, RtlDowncaseUnicodeChar, __func__, NT_SITE);
}

NTSTATUS RtlDuplicateUnicodeString(ULONG Flags, PCUNICODE_STRING Source,
                                   PUNICODE_STRING Destination) {
    bool terminate = (Flags & RTL_DUPLICATE_UNICODE_STRING_NULL_TERMINATE) != 0;
    size_t bytes = Source->Length + (terminate ? sizeof(WCHAR) : 0);
    if (bytes > UNICODE_STRING_MAX_BYTES) return STATUS_NAME_TOO_LONG;
    if (Source->Length == 0 && !(Flags & RTL_DUPLICATE_UNICODE_STRING_ALLOCATE_NULL_STRING)) {
        *Destination = (UNICODE_STRING){0, 0, NULL};
        return STATUS_SUCCESS;
    }
    PWSTR buffer = nt_string_allocate(bytes, __func__, NT_SITE);
    if (buffer == NULL) return STATUS_NO_MEMORY;
    if (Source->Length != 0) RtlCopyMemory(buffer, Source->Buffer, Source->Length);
    if (terminate) buffer[Source->Length / sizeof(WCHAR)] = 0;
    *Destination = (UNICODE_STRING){Source->Length, (USHORT)bytes, buffer};
    return STATUS_SUCCESS;
}

VOID RtlFreeUnicodeString(PUNICODE_STRING String) {
    if (String->Buffer != NULL) nt_pool_free(String->Buffer, 0, __func__, NT_SITE);
    *String = (UNICODE_STRING){0, 0, NULL};
}

SIZE_T RtlCompareMemory(const VOID *A, const VOID *B, SIZE_T Length) {
    SIZE_T equal = 0;
    while (equal < Length && ((PCSTR)A)[equal] == ((PCSTR)B)[equal])
        equal++;
    return equal;
}
