/* Terminated wide strings of 16-bit units, strings of bytes, and numbers in strings. */
#include "internal.h"

/* ---- terminated ---- */

size_t wcsnlen(const wchar_t *String, size_t Limit) {
    size_t length = 0;
    while (length < Limit && String[length] != 0)
        length++;
    return length;
}

size_t wcslen(const wchar_t *String) {
    return wcsnlen(String, SIZE_MAX);
}

wchar_t *wcscpy(wchar_t *To, const wchar_t *From) {
    for (size_t i = 0; (To[i] = From[i]) != 0; i++)
        continue;
    return To;
}

wchar_t *wcsncpy(wchar_t *To, const wchar_t *From, size_t Limit) {
    size_t length = wcsnlen(From, Limit);
    for (size_t i = 0; i < Limit; i++)
        To[i] = i < length ? From[i] : 0;
    return To;
}

wchar_t *wcsncat(wchar_t *To, const wchar_t *From, size_t Limit) {
    size_t at = wcslen(To), length = wcsnlen(From, Limit);
    for (size_t i = 0; i < length; i++)
        To[at + i] = From[i];
    To[at + length] = 0;
    return To;
}

wchar_t *wcscat(wchar_t *To, const wchar_t *From) {
    return wcsncat(To, From, SIZE_MAX);
}

static WCHAR lower(WCHAR unit) {
    return unit >= 'A' && unit <= 'Z' ? unit + 0x20 : unit;
}

static int compare(const wchar_t *a, const wchar_t *b, size_t limit, bool caseless) {
    for (size_t i = 0; i < limit; i++) {
        WCHAR x = caseless ? lower(a[i]) : a[i], y = caseless ? lower(b[i]) : b[i];
        if (x != y || x == 0) return (int)x - (int)y;
    }
    return 0;
}

int wcscmp(const wchar_t *A, const wchar_t *B) {
    return compare(A, B, SIZE_MAX, false);
}

int wcsncmp(const wchar_t *A, const wchar_t *B, size_t Limit) {
    return compare(A, B, Limit, false);
}

int _wcsicmp(const wchar_t *A, const wchar_t *B) {
    return compare(A, B, SIZE_MAX, true);
}

int _wcsnicmp(const wchar_t *A, const wchar_t *B, size_t Limit) {
    return compare(A, B, Limit, true);
}

wchar_t *wcschr(const wchar_t *String, wchar_t Unit) {
    for (; *String != Unit; String++)
        if (*String == 0) return NULL;
    return (wchar_t *)String;
}

wchar_t *wcsrchr(const wchar_t *String, wchar_t Unit) {
    for (size_t i = wcslen(String) + 1; i-- > 0;)
        if (String[i] == Unit) return (wchar_t *)String + i;
    return NULL;
}

wchar_t *wcsstr(const wchar_t *String, const wchar_t *Part) {
    size_t length = wcslen(Part);
    for (; wcsncmp(String, Part, length) != 0; String++)
        if (*String == 0) return NULL;
    return (wchar_t *)String;
}

BOOLEAN RtlCreateUnicodeString(PUNICODE_STRING Destination, PCWSTR Source) {
    SIZE_T bytes = (wcslen(Source) + 1) * sizeof(WCHAR);
    if (bytes > UNICODE_STRING_MAX_BYTES) return FALSE;
    PWSTR buffer = nt_string_allocate(bytes, __func__, NT_SITE);
    if (buffer == NULL) return FALSE;
    RtlCopyMemory(buffer, Source, bytes);
    *Destination = (UNICODE_STRING){(USHORT)(bytes - sizeof(WCHAR)), (USHORT)bytes, buffer};
    return TRUE;
}

NTSTATUS RtlValidateUnicodeString(ULONG Flags, PCUNICODE_STRING String) {
    bool good =
        Flags == 0 && (String == NULL || (String->Length % sizeof(WCHAR) == 0 &&
                                          String->MaximumLength % sizeof(WCHAR) == 0 &&
                                          String->Length <= String->MaximumLength &&
                                          (String->MaximumLength == 0 || String->Buffer != NULL)));
    return good ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

/* ---- numbers ---- */

static int digit_of(WCHAR unit) {
    if (unit >= '0' && unit <= '9') return unit - '0';
    unit = lower(unit);
    return unit >= 'a' && unit <= 'f' ? unit - 'a' + 10 : 16;
}

static ULONG base_of_prefix(PCWSTR text, size_t units) {
    if (units < 2 || text[0] != '0') return 0;
    switch (text[1]) {
    case 'x': return 16;
    case 'o': return 8;
    case 'b': return 2;
    default: return 0;
    }
}

NTSTATUS RtlUnicodeStringToInteger(PCUNICODE_STRING String, ULONG Base, PULONG Value) {
    PCWSTR text = String->Buffer;
    size_t left = String->Length / sizeof(WCHAR);
    while (left != 0 && *text <= ' ')
        text++, left--;
    bool negative = left != 0 && *text == '-';
    if (left != 0 && (*text == '-' || *text == '+')) text++, left--;
    if (Base == 0) {
        Base = base_of_prefix(text, left);
        if (Base == 0) Base = 10;
        else text += 2, left -= 2;
    } else if (Base != 2 && Base != 8 && Base != 10 && Base != 16) {
        return STATUS_INVALID_PARAMETER;
    }
    ULONG value = 0;
    for (; left != 0 && digit_of(*text) < (int)Base; text++, left--)
        value = value * Base + (ULONG)digit_of(*text);
    *Value = negative ? 0 - value : value;
    return STATUS_SUCCESS;
}

NTSTATUS RtlIntegerToUnicodeString(ULONG Value, ULONG Base, PUNICODE_STRING String) {
    if (Base == 0) Base = 10;
    if (Base != 2 && Base != 8 && Base != 10 && Base != 16) return STATUS_INVALID_PARAMETER;
    WCHAR digits[32];
    size_t at = RTL_NUMBER_OF(digits);
    do {
        digits[--at] = (WCHAR) "0123456789ABCDEF"[Value % Base];
        Value /= Base;
    } while (Value != 0);
    UNICODE_STRING text = {(USHORT)((RTL_NUMBER_OF(digits) - at) * sizeof(WCHAR)), 0, digits + at};
    if (text.Length > String->MaximumLength) return STATUS_BUFFER_OVERFLOW;
    RtlCopyUnicodeString(String, &text);
    return STATUS_SUCCESS;
}

/* ---- bytes ---- */

VOID RtlInitString(PSTRING String, PCSZ Source) {
    size_t length = Source == NULL ? 0 : strlen(Source);
    if (length > MAXUSHORT - 1) length = MAXUSHORT - 1;
    *String = (STRING){(USHORT)length, Source == NULL ? 0 : (USHORT)(length + 1), (PCHAR)Source};
}

VOID RtlInitAnsiString(PANSI_STRING String, PCSZ Source) {
    RtlInitString(String, Source);
}

BOOLEAN RtlEqualString(const STRING *A, const STRING *B, BOOLEAN CaseInsensitive) {
    if (A->Length != B->Length) return FALSE;
    for (USHORT i = 0; i < A->Length; i++) {
        WCHAR a = (UCHAR)A->Buffer[i], b = (UCHAR)B->Buffer[i];
        if (a != b && !(CaseInsensitive && nt_upcase(a) == nt_upcase(b))) return FALSE;
    }
    return TRUE;
}

NTSTATUS RtlAnsiStringToUnicodeString(PUNICODE_STRING Destination, PANSI_STRING Source,
                                      BOOLEAN Allocate) {
    size_t bytes = ((size_t)Source->Length + 1) * sizeof(WCHAR);
    if (bytes > UNICODE_STRING_MAX_BYTES) return STATUS_INVALID_PARAMETER_2;
    if (Allocate) {
        PWSTR buffer = nt_string_allocate(bytes, __func__, NT_SITE);
        if (buffer == NULL) return STATUS_NO_MEMORY;
        *Destination = (UNICODE_STRING){0, (USHORT)bytes, buffer};
    } else if (bytes > Destination->MaximumLength) {
        return STATUS_BUFFER_OVERFLOW;
    }
    Destination->Length = (USHORT)(bytes - sizeof(WCHAR));
    for (USHORT i = 0; i < Source->Length; i++)
        Destination->Buffer[i] = (UCHAR)Source->Buffer[i] < 0x80 ? Source->Buffer[i] : '?';
    Destination->Buffer[Source->Length] = 0;
    return STATUS_SUCCESS;
}

NTSTATUS RtlUnicodeStringToAnsiString(PANSI_STRING Destination, PCUNICODE_STRING Source,
                                      BOOLEAN Allocate) {
    USHORT units = Source->Length / sizeof(WCHAR);
    if (Allocate) {
        PCHAR buffer = nt_string_allocate((size_t)units + 1, __func__, NT_SITE);
        if (buffer == NULL) return STATUS_NO_MEMORY;
        *Destination = (ANSI_STRING){0, units + 1, buffer};
    } else if (units + 1 > Destination->MaximumLength) {
        return STATUS_BUFFER_OVERFLOW;
    }
    Destination->Length = units;
    for (USHORT i = 0; i < units; i++)
        Destination->Buffer[i] = Source->Buffer[i] < 0x80 ? (CHAR)Source->Buffer[i] : '?';
    Destination->Buffer[units] = 0;
    return STATUS_SUCCESS;
}

VOID RtlFreeAnsiString(PANSI_STRING String) {
    if (String->Buffer != NULL) nt_pool_free(String->Buffer, 0, __func__, NT_SITE);
    *String = (ANSI_STRING){0, 0, NULL};
}
