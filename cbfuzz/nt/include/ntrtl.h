/* Run-time library: lists, counted strings, memory, assertions, debug output.
 *
 * In these headers "(wdm)" and the like behind a limit name the public header
 * whose reference page documents the routine; limits are what is checked here.
 */
#ifndef CBFUZZ_NTRTL_H
#define CBFUZZ_NTRTL_H

#include "ntdef.h"

EXTERN_C_START

/* ---- stopping ---- */

/* Stops with bugcheck `Code`. Never returns; any IRQL. (wdm) */
NTKERNELAPI DECLSPEC_NORETURN VOID NTAPI KeBugCheck(ULONG Code);
/* Stops with bugcheck `Code` and four parameters. Never returns; any IRQL. (wdm) */
NTKERNELAPI DECLSPEC_NORETURN VOID NTAPI KeBugCheckEx(ULONG Code, ULONG_PTR P1, ULONG_PTR P2,
                                                      ULONG_PTR P3, ULONG_PTR P4);
/* Stops with KERNEL_SECURITY_CHECK_FAILURE (0x139) and a FAST_FAIL_ code; any IRQL. */
NTKERNELAPI DECLSPEC_NORETURN VOID NTAPI RtlFailFast(ULONG Code);
/* Stops: what ASSERT calls when its condition is false. Any IRQL. (ntddk) */
NTSYSAPI VOID NTAPI RtlAssert(PVOID Condition, PVOID File, ULONG Line, PCHAR Message);
/* Stops: there is no debugger to break into. Any IRQL. (wdm) */
NTSYSAPI VOID NTAPI DbgBreakPoint(VOID);
/* Stops when IRQL > APC_LEVEL; behind PAGED_CODE. */
NTKERNELAPI VOID NTAPI RtlCheckPagedCode(PCSTR Function);

#define FAST_FAIL_CORRUPT_LIST_ENTRY 3
#define KERNEL_SECURITY_CHECK_FAILURE 0x139
#define PAGED_CODE() RtlCheckPagedCode(__func__)
#define PAGED_CODE_LOCKED()
#define ASSERT(e) ((e) ? (void)0 : RtlAssert((PVOID) #e, (PVOID)__FILE__, __LINE__, NULL))
#define ASSERTMSG(m, e)                                                                            \
    ((e) ? (void)0 : RtlAssert((PVOID) #e, (PVOID)__FILE__, __LINE__, (PCHAR)(m)))
#define NT_ASSERT(e) ASSERT(e)
#define NT_VERIFY(e) ASSERT(e)
#define RTL_ASSERT(e) ASSERT(e)
#define NT_ANALYSIS_ASSUME(e)
#define __analysis_assume(e)

/* ---- debug output ---- */

/* Formats as the kernel does (%ld has 32 bits, %wZ, %ws, %I64x); STATUS_SUCCESS.
 * Any IRQL here. (wdm) */
ULONG DbgPrint(PCSTR Format, ...);
/* The same with a component and a level, both ignored. Any IRQL here. (wdm) */
ULONG DbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format, ...);
#define KdPrint(arguments) DbgPrint arguments
#define KdPrintEx(arguments) DbgPrintEx arguments
#define DPFLTR_IHVDRIVER_ID 77
#define DPFLTR_DEFAULT_ID 101
#define DPFLTR_ERROR_LEVEL 0
#define DPFLTR_WARNING_LEVEL 1
#define DPFLTR_TRACE_LEVEL 2
#define DPFLTR_INFO_LEVEL 3

/* ---- memory: the compiler's own, instrumented as usual (wdm) ---- */

#define RtlCopyMemory(d, s, n) __builtin_memcpy((d), (s), (n))
#define RtlMoveMemory(d, s, n) __builtin_memmove((d), (s), (n))
#define RtlZeroMemory(d, n) __builtin_memset((d), 0, (n))
#define RtlFillMemory(d, n, b) __builtin_memset((d), (b), (n))
#define RtlSecureZeroMemory(d, n) __builtin_memset((d), 0, (n))
#define RtlEqualMemory(a, b, n) (__builtin_memcmp((a), (b), (n)) == 0)
/* How many leading bytes are equal. Any IRQL. (wdm) */
NTSYSAPI SIZE_T NTAPI RtlCompareMemory(const VOID *A, const VOID *B, SIZE_T Length);

/* ---- doubly linked lists; a corrupt one is bugcheck 0x139 (wdm) ---- */

FORCEINLINE VOID InitializeListHead(PLIST_ENTRY Head) {
    Head->Flink = Head->Blink = Head;
}
#define InitializeListEntry(e) InitializeListHead(e)

FORCEINLINE BOOLEAN IsListEmpty(const LIST_ENTRY *Head) {
    return (BOOLEAN)(Head->Flink == Head);
}

FORCEINLINE VOID RtlpCheckListEntry(PLIST_ENTRY Entry) {
    if (Entry->Flink->Blink != Entry || Entry->Blink->Flink != Entry)
        RtlFailFast(FAST_FAIL_CORRUPT_LIST_ENTRY);
}

/* TRUE when the list is empty afterwards. */
FORCEINLINE BOOLEAN RemoveEntryList(PLIST_ENTRY Entry) {
    PLIST_ENTRY Next = Entry->Flink;
    PLIST_ENTRY Previous = Entry->Blink;
    if (Next->Blink != Entry || Previous->Flink != Entry) RtlFailFast(FAST_FAIL_CORRUPT_LIST_ENTRY);
    Previous->Flink = Next;
    Next->Blink = Previous;
    return (BOOLEAN)(Next == Previous);
}

FORCEINLINE PLIST_ENTRY RemoveHeadList(PLIST_ENTRY Head) {
    PLIST_ENTRY Entry = Head->Flink;
    RtlpCheckListEntry(Head);
    (void)RemoveEntryList(Entry);
    return Entry;
}

FORCEINLINE PLIST_ENTRY RemoveTailList(PLIST_ENTRY Head) {
    PLIST_ENTRY Entry = Head->Blink;
    RtlpCheckListEntry(Head);
    (void)RemoveEntryList(Entry);
    return Entry;
}

FORCEINLINE VOID InsertHeadList(PLIST_ENTRY Head, PLIST_ENTRY Entry) {
    PLIST_ENTRY Next = Head->Flink;
    RtlpCheckListEntry(Head);
    Entry->Flink = Next;
    Entry->Blink = Head;
    Next->Blink = Entry;
    Head->Flink = Entry;
}

FORCEINLINE VOID InsertTailList(PLIST_ENTRY Head, PLIST_ENTRY Entry) {
    PLIST_ENTRY Previous = Head->Blink;
    RtlpCheckListEntry(Head);
    Entry->Flink = Head;
    Entry->Blink = Previous;
    Previous->Flink = Entry;
    Head->Blink = Entry;
}

FORCEINLINE VOID AppendTailList(PLIST_ENTRY Head, PLIST_ENTRY Appended) {
    PLIST_ENTRY End = Head->Blink;
    RtlpCheckListEntry(Head);
    RtlpCheckListEntry(Appended);
    Head->Blink->Flink = Appended;
    Head->Blink = Appended->Blink;
    Appended->Blink->Flink = Head;
    Appended->Blink = End;
}

FORCEINLINE PSINGLE_LIST_ENTRY PopEntryList(PSINGLE_LIST_ENTRY Head) {
    PSINGLE_LIST_ENTRY First = Head->Next;
    if (First != NULL) Head->Next = First->Next;
    return First;
}

FORCEINLINE VOID PushEntryList(PSINGLE_LIST_ENTRY Head, PSINGLE_LIST_ENTRY Entry) {
    Entry->Next = Head->Next;
    Head->Next = Entry;
}

/* ---- counted strings. Any IRQL here: nothing is paged (wdm, ntifs) ---- */

/* Lets String describe Source (NULL: empty) without copying; at most 32,766 units. */
NTSYSAPI VOID NTAPI RtlInitUnicodeString(PUNICODE_STRING String, PCWSTR Source);
/* The same, but STATUS_NAME_TOO_LONG when Source has more. */
NTSYSAPI NTSTATUS NTAPI RtlInitUnicodeStringEx(PUNICODE_STRING String, PCWSTR Source);
/* TRUE when both have the same units, or the same upcased ones. */
NTSYSAPI BOOLEAN NTAPI RtlEqualUnicodeString(PCUNICODE_STRING A, PCUNICODE_STRING B,
                                             BOOLEAN CaseInsensitive);
/* Negative, zero, positive: the order of A and B by units, then by length. */
NTSYSAPI LONG NTAPI RtlCompareUnicodeString(PCUNICODE_STRING A, PCUNICODE_STRING B,
                                            BOOLEAN CaseInsensitive);
/* TRUE when B begins with A. */
NTSYSAPI BOOLEAN NTAPI RtlPrefixUnicodeString(PCUNICODE_STRING A, PCUNICODE_STRING B,
                                              BOOLEAN CaseInsensitive);
/* Copies what fits into the buffer of Destination; Source NULL empties it. */
NTSYSAPI VOID NTAPI RtlCopyUnicodeString(PUNICODE_STRING Destination, PCUNICODE_STRING Source);
/* Appends; STATUS_BUFFER_TOO_SMALL and no change when it does not fit. */
NTSYSAPI NTSTATUS NTAPI RtlAppendUnicodeStringToString(PUNICODE_STRING Destination,
                                                       PCUNICODE_STRING Source);
/* The same with a terminated string. */
NTSYSAPI NTSTATUS NTAPI RtlAppendUnicodeToString(PUNICODE_STRING Destination, PCWSTR Source);
/* Upper case of one unit: ASCII, Latin-1, Latin Extended-A, Greek, Cyrillic. */
NTSYSAPI WCHAR NTAPI RtlUpcaseUnicodeChar(WCHAR Unit);
/* Upcases into Destination, allocated on request; STATUS_BUFFER_OVERFLOW, STATUS_NO_MEMORY. */
NTSYSAPI NTSTATUS NTAPI RtlUpcaseUnicodeString(PUNICODE_STRING Destination, PCUNICODE_STRING Source,
                                               BOOLEAN Allocate);
/* x65599 hash; STATUS_INVALID_PARAMETER for another algorithm or NULL. */
NTSYSAPI NTSTATUS NTAPI RtlHashUnicodeString(PCUNICODE_STRING String, BOOLEAN CaseInsensitive,
                                             ULONG Algorithm, PULONG Hash);
/* Copies into new pool (tag "Strg"); flags 1: terminate, 2: allocate for empty ones too.
 * STATUS_NO_MEMORY, STATUS_NAME_TOO_LONG. */
NTSYSAPI NTSTATUS NTAPI RtlDuplicateUnicodeString(ULONG Flags, PCUNICODE_STRING Source,
                                                  PUNICODE_STRING Destination);
/* Frees what one of the two above allocated, and empties the string. */
NTSYSAPI VOID NTAPI RtlFreeUnicodeString(PUNICODE_STRING String);

/* The same for two runs of units. */
NTSYSAPI LONG NTAPI RtlCompareUnicodeStrings(PCWCH String1, SIZE_T String1Length, PCWCH String2,
                                             SIZE_T String2Length, BOOLEAN CaseInsensitive);
/* Lower case, of the same letters. */
NTSYSAPI WCHAR NTAPI RtlDowncaseUnicodeChar(WCHAR Unit);
NTSYSAPI NTSTATUS NTAPI RtlDowncaseUnicodeString(PUNICODE_STRING Destination,
                                                 PCUNICODE_STRING Source, BOOLEAN Allocate);
/* Copies a terminated string into new pool (tag "Strg"); FALSE when there is none. */
NTSYSAPI BOOLEAN NTAPI RtlCreateUnicodeString(PUNICODE_STRING Destination, PCWSTR Source);
/* STATUS_INVALID_PARAMETER when the lengths are odd, do not fit or have no buffer. */
NTSYSAPI NTSTATUS NTAPI RtlValidateUnicodeString(ULONG Flags, PCUNICODE_STRING String);
/* Numbers: base 0 goes by a prefix 0x, 0o or 0b, or stands for 10 when written.
 * STATUS_INVALID_PARAMETER, STATUS_BUFFER_OVERFLOW. */
NTSYSAPI NTSTATUS NTAPI RtlUnicodeStringToInteger(PCUNICODE_STRING String, ULONG Base,
                                                  PULONG Value);
NTSYSAPI NTSTATUS NTAPI RtlIntegerToUnicodeString(ULONG Value, ULONG Base, PUNICODE_STRING String);

/* Strings of bytes, here ASCII: what is not becomes a question mark. */
NTSYSAPI VOID NTAPI RtlInitString(PSTRING String, PCSZ Source);
NTSYSAPI VOID NTAPI RtlInitAnsiString(PANSI_STRING String, PCSZ Source);
NTSYSAPI BOOLEAN NTAPI RtlEqualString(const STRING *A, const STRING *B, BOOLEAN CaseInsensitive);
/* STATUS_BUFFER_OVERFLOW, STATUS_NO_MEMORY; what is allocated has a terminator. */
NTSYSAPI NTSTATUS NTAPI RtlAnsiStringToUnicodeString(PUNICODE_STRING Destination,
                                                     PANSI_STRING Source, BOOLEAN Allocate);
NTSYSAPI NTSTATUS NTAPI RtlUnicodeStringToAnsiString(PANSI_STRING Destination,
                                                     PCUNICODE_STRING Source, BOOLEAN Allocate);
NTSYSAPI VOID NTAPI RtlFreeAnsiString(PANSI_STRING String);

/* ---- terminated wide strings. The C library's have 32-bit units, so these have names of their
 * own; without regard to case means that of ASCII. ---- */

#define wcslen RtlpWideLength
#define wcsnlen RtlpWideLengthLimited
#define wcscpy RtlpWideCopy
#define wcsncpy RtlpWideCopyLimited
#define wcscat RtlpWideAppend
#define wcsncat RtlpWideAppendLimited
#define wcscmp RtlpWideCompare
#define wcsncmp RtlpWideCompareLimited
#define _wcsicmp RtlpWideCompareCaseless
#define _wcsnicmp RtlpWideCompareCaselessLimited
#define wcschr RtlpWideFind
#define wcsrchr RtlpWideFindLast
#define wcsstr RtlpWideFindString
size_t wcslen(const wchar_t *String);
size_t wcsnlen(const wchar_t *String, size_t Limit);
wchar_t *wcscpy(wchar_t *To, const wchar_t *From);
wchar_t *wcsncpy(wchar_t *To, const wchar_t *From, size_t Limit);
wchar_t *wcscat(wchar_t *To, const wchar_t *From);
wchar_t *wcsncat(wchar_t *To, const wchar_t *From, size_t Limit);
int wcscmp(const wchar_t *A, const wchar_t *B);
int wcsncmp(const wchar_t *A, const wchar_t *B, size_t Limit);
int _wcsicmp(const wchar_t *A, const wchar_t *B);
int _wcsnicmp(const wchar_t *A, const wchar_t *B, size_t Limit);
wchar_t *wcschr(const wchar_t *String, wchar_t Unit);
wchar_t *wcsrchr(const wchar_t *String, wchar_t Unit);
wchar_t *wcsstr(const wchar_t *String, const wchar_t *Part);

#define HASH_STRING_ALGORITHM_DEFAULT 0
#define HASH_STRING_ALGORITHM_X65599 1
#define RTL_DUPLICATE_UNICODE_STRING_NULL_TERMINATE 1
#define RTL_DUPLICATE_UNICODE_STRING_ALLOCATE_NULL_STRING 2
#define RtlInitEmptyUnicodeString(s, b, n)                                                         \
    ((s)->Length = 0, (s)->MaximumLength = (USHORT)(n), (s)->Buffer = (b))

EXTERN_C_END

#endif
