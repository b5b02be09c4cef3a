/* Basic types of the kernel's headers, at Windows' own widths on an LP64 machine.
 *
 * ULONG has 32 bits and WCHAR 16, whatever `long` and the C library think. Source is
 * compiled with -fshort-wchar, so that L"..." has 16-bit units as well. Everything
 * here is C11 and C++17.
 */
#ifndef CBFUZZ_NTDEF_H
#define CBFUZZ_NTDEF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h> /* kernels take memcpy and strlen for granted */

#ifdef __cplusplus
#define EXTERN_C extern "C"
#define EXTERN_C_START extern "C" {
#define EXTERN_C_END }
#else
#define EXTERN_C extern
#define EXTERN_C_START
#define EXTERN_C_END
#endif

/* Calling conventions and linkage: one convention here, nothing to import. */
#define NTAPI
#define FASTCALL
#define CDECL
#define STDCALL
#define WINAPI
#define __stdcall
#define __cdecl
#define __fastcall
#define __vectorcall
#define __thiscall
#define _stdcall
#define _cdecl
#define _fastcall
#define NTKERNELAPI
#define NTSYSAPI
#define NTSYSCALLAPI
#define NTHALAPI
#define DECLSPEC_IMPORT
#define DECLSPEC_NORETURN __attribute__((noreturn))
#define DECLSPEC_NOINLINE __attribute__((noinline))
#define DECLSPEC_ALIGN(x) __attribute__((aligned(x)))
#define DECLSPEC_CACHEALIGN DECLSPEC_ALIGN(64)
#define FORCEINLINE static inline __attribute__((always_inline, unused))
#define CFORCEINLINE FORCEINLINE
#define INIT_FUNCTION
#define INIT_SECTION
#define IN
#define OUT
#define OPTIONAL
#define UNALIGNED
#define __unaligned
#define __ptr32
#define __ptr64
#define RESTRICTED_POINTER
#define DECLSPEC_SELECTANY __attribute__((weak))
#define DECLSPEC_DEPRECATED
#define DECLSPEC_DEPRECATED_DDK
#define DECLSPEC_NOTHROW
#define NOTHING
#define CODE_SEG(s)
#define DATA_SEG(s)
#define __assume(e) __builtin_assume(e)
#define __noop ((void)0)
#define CONST const
#define VOID void

/* Integers and characters. */
typedef void *PVOID, *LPVOID;
typedef char CHAR, CCHAR, *PCHAR, *PCH, *PSTR, *PSZ;
typedef const char *PCSTR, *PCCH, *PCSZ;
typedef unsigned char UCHAR, *PUCHAR, BOOLEAN, *PBOOLEAN, BYTE, *PBYTE;
typedef signed char SCHAR, INT8, *PINT8;
typedef unsigned char UINT8, *PUINT8;
typedef short SHORT, CSHORT, INT16, *PSHORT, *PINT16;
typedef unsigned short USHORT, UINT16, WORD, *PUSHORT, *PUINT16;
typedef int LONG, INT, INT32, LONG32, NTSTATUS, *PLONG, *PINT, *PINT32, *PLONG32, *PNTSTATUS;
typedef unsigned int ULONG, UINT, UINT32, ULONG32, DWORD, LOGICAL;
typedef unsigned int *PULONG, *PUINT, *PUINT32, *PULONG32, *PLOGICAL;
typedef long long LONGLONG, INT64, LONG64, *PLONGLONG, *PINT64, *PLONG64;
typedef unsigned long long ULONGLONG, UINT64, ULONG64, DWORD64;
typedef unsigned long long *PULONGLONG, *PUINT64, *PULONG64;
typedef long long LONG_PTR, INT_PTR, *PLONG_PTR, *PINT_PTR;
typedef unsigned long long ULONG_PTR, UINT_PTR, KAFFINITY;
typedef unsigned long long *PULONG_PTR, *PUINT_PTR, *PKAFFINITY;
typedef intptr_t SSIZE_T;
typedef uintptr_t SIZE_T, *PSIZE_T;
typedef wchar_t WCHAR, *PWCHAR, *PWCH, *PWSTR, *LPWSTR;
typedef const wchar_t *PCWCH, *PCWSTR, *LPCWSTR;
typedef PVOID HANDLE, *PHANDLE;
typedef ULONG ACCESS_MASK, *PACCESS_MASK, CLONG;
typedef UCHAR KIRQL, *PKIRQL;
typedef CCHAR KPROCESSOR_MODE;
typedef LONG KPRIORITY;
typedef PVOID PSECURITY_DESCRIPTOR;

#define TRUE 1
#define FALSE 0
#define ANYSIZE_ARRAY 1
#define MAXUSHORT 0xffff
#define MAXULONG 0xffffffffu
#define MAXULONGLONG ((ULONGLONG) ~((ULONGLONG)0))
#define MAXLONGLONG 0x7fffffffffffffffLL
#define MAXUCHAR 0xff
#define MAXCHAR 0x7f
#define MAXSHORT 0x7fff
#define MAXLONG 0x7fffffff
#define MINLONG 0x80000000
#define MAXULONG_PTR (~(ULONG_PTR)0)
#define UNICODE_NULL ((WCHAR)0)
#define UNICODE_STRING_MAX_BYTES ((USHORT)65534)
#define UNICODE_STRING_MAX_CHARS 32767
#define MEMORY_ALLOCATION_ALIGNMENT 16
#define PAGE_SIZE 0x1000
#define PAGE_SHIFT 12

typedef enum _MODE { KernelMode, UserMode, MaximumMode } MODE;

typedef union _LARGE_INTEGER {
    struct {
        ULONG LowPart;
        LONG HighPart;
    };
    struct {
        ULONG LowPart;
        LONG HighPart;
    } u;
    LONGLONG QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER;

typedef union _ULARGE_INTEGER {
    struct {
        ULONG LowPart;
        ULONG HighPart;
    };
    struct {
        ULONG LowPart;
        ULONG HighPart;
    } u;
    ULONGLONG QuadPart;
} ULARGE_INTEGER, *PULARGE_INTEGER;

typedef struct _LIST_ENTRY {
    struct _LIST_ENTRY *Flink;
    struct _LIST_ENTRY *Blink;
} LIST_ENTRY, *PLIST_ENTRY;

typedef struct _SINGLE_LIST_ENTRY {
    struct _SINGLE_LIST_ENTRY *Next;
} SINGLE_LIST_ENTRY, *PSINGLE_LIST_ENTRY;

/* Counted strings: Length and MaximumLength are bytes; no terminator is implied. */
typedef struct _UNICODE_STRING {
    USHORT Length;
    USHORT MaximumLength;
    PWSTR Buffer;
} UNICODE_STRING, *PUNICODE_STRING;
typedef const UNICODE_STRING *PCUNICODE_STRING;

typedef struct _STRING {
    USHORT Length;
    USHORT MaximumLength;
    PCHAR Buffer;
} STRING, *PSTRING, ANSI_STRING, *PANSI_STRING;

#ifdef __cplusplus
#define RTL_CONSTANT_STRING(s)                                                                     \
    { sizeof(s) - sizeof((s)[0]), sizeof(s), (PWSTR)(s) }
#else
#define RTL_CONSTANT_STRING(s)                                                                     \
    { sizeof(s) - sizeof((s)[0]), sizeof(s), (PVOID)(s) }
#endif
#define DECLARE_CONST_UNICODE_STRING(variable, string)                                             \
    const WCHAR variable##_buffer[] = string;                                                      \
    const UNICODE_STRING variable = {sizeof(string) - sizeof(WCHAR), sizeof(string),               \
                                     (PWSTR)variable##_buffer}
#define DECLARE_UNICODE_STRING_SIZE(variable, size)                                                \
    WCHAR variable##_buffer[size];                                                                 \
    UNICODE_STRING variable = {0, (size) * sizeof(WCHAR), variable##_buffer}

/* How an object is named when it is created or opened. */
typedef struct _OBJECT_ATTRIBUTES {
    ULONG Length;
    HANDLE RootDirectory;
    PUNICODE_STRING ObjectName;
    ULONG Attributes;
    PVOID SecurityDescriptor;
    PVOID SecurityQualityOfService;
} OBJECT_ATTRIBUTES, *POBJECT_ATTRIBUTES;
typedef const OBJECT_ATTRIBUTES *PCOBJECT_ATTRIBUTES;

#define OBJ_INHERIT 0x00000002
#define OBJ_PERMANENT 0x00000010
#define OBJ_EXCLUSIVE 0x00000020
#define OBJ_CASE_INSENSITIVE 0x00000040
#define OBJ_OPENIF 0x00000080
#define OBJ_OPENLINK 0x00000100
#define OBJ_KERNEL_HANDLE 0x00000200
#define OBJ_FORCE_ACCESS_CHECK 0x00000400
#define OBJ_IGNORE_IMPERSONATED_DEVICEMAP 0x00000800
#define OBJ_DONT_REPARSE 0x00001000
#define OBJ_VALID_ATTRIBUTES 0x00001FF2

#define InitializeObjectAttributes(p, n, a, r, s)                                                  \
    do {                                                                                           \
        (p)->Length = sizeof(OBJECT_ATTRIBUTES);                                                   \
        (p)->RootDirectory = (r);                                                                  \
        (p)->Attributes = (a);                                                                     \
        (p)->ObjectName = (n);                                                                     \
        (p)->SecurityDescriptor = (s);                                                             \
        (p)->SecurityQualityOfService = NULL;                                                      \
    } while (0)
#define RTL_INIT_OBJECT_ATTRIBUTES(n, a)                                                           \
    { sizeof(OBJECT_ATTRIBUTES), NULL, (n), (a), NULL, NULL }
#define RTL_CONSTANT_OBJECT_ATTRIBUTES(n, a) RTL_INIT_OBJECT_ATTRIBUTES(n, a)

/* What depends on exceptions that are caught cannot run here. In C++ these words are the
 * library's; scripts/build-impl refuses them there, too. */
#ifndef __cplusplus
/* clang-format off */
#define __try                                                                                      \
    _Pragma("GCC error \"__try: structured exception handling does not exist here; return a status instead\"") \
    if (1)
#define __except(filter) else if (filter)
/* clang-format on */
#define __finally
#define __leave ((void)0)
#define EXCEPTION_EXECUTE_HANDLER 1
#define EXCEPTION_CONTINUE_SEARCH 0
#define EXCEPTION_CONTINUE_EXECUTION (-1)
#define GetExceptionCode() STATUS_UNSUCCESSFUL
#define AbnormalTermination() FALSE
#endif

/* Small helpers of the language. */
#define CONTAINING_RECORD(address, type, field)                                                    \
    ((type *)((PCHAR)(address) - (ULONG_PTR)offsetof(type, field)))
#define FIELD_OFFSET(type, field) ((LONG)offsetof(type, field))
#define RTL_FIELD_SIZE(type, field) (sizeof(((type *)0)->field))
#define RTL_NUMBER_OF(a) (sizeof(a) / sizeof((a)[0]))
#define ARRAYSIZE(a) RTL_NUMBER_OF(a)
#define UNREFERENCED_PARAMETER(p) ((void)(p))
#define DBG_UNREFERENCED_PARAMETER(p) ((void)(p))
#define UNREFERENCED_LOCAL_VARIABLE(v) ((void)(v))
#define ARGUMENT_PRESENT(p) ((p) != NULL)
#define ROUND_TO_SIZE(n, a) (((n) + ((a)-1)) & ~((a)-1))
#define ALIGN_UP_BY(n, a) ROUND_TO_SIZE((ULONG_PTR)(n), (ULONG_PTR)(a))
#define ALIGN_DOWN_BY(n, a) ((ULONG_PTR)(n) & ~((ULONG_PTR)(a)-1))
#define FlagOn(f, m) ((f) & (m))
#define BooleanFlagOn(f, m) ((BOOLEAN)(((f) & (m)) != 0))
#define SetFlag(f, m) ((f) |= (m))
#define ClearFlag(f, m) ((f) &= ~(m))
#define PtrToUlong(p) ((ULONG)(ULONG_PTR)(p))
#define UlongToPtr(u) ((PVOID)(ULONG_PTR)(ULONG)(u))
#define HandleToUlong(h) PtrToUlong(h)
#define UlongToHandle(u) ((HANDLE)UlongToPtr(u))
#ifdef __cplusplus
#define C_ASSERT(e) static_assert(e, #e)
#else
#define C_ASSERT(e) _Static_assert(e, #e)
#endif
#define UNREACHABLE __builtin_unreachable()
#define _countof(a) RTL_NUMBER_OF(a)
#define RTL_SIZEOF_THROUGH_FIELD(type, field)                                                      \
    (FIELD_OFFSET(type, field) + RTL_FIELD_SIZE(type, field))
#define RTL_CONTAINS_FIELD(s, size, field)                                                         \
    ((((PCHAR)(&(s)->field)) + sizeof((s)->field)) <= (((PCHAR)(s)) + (size)))
#define POINTER_IS_ALIGNED(p, a) ((((ULONG_PTR)(p)) & ((a)-1)) == 0)
#define Add2Ptr(p, n) ((PVOID)((PUCHAR)(p) + (n)))
#define PtrOffset(b, o) ((ULONG)((ULONG_PTR)(o) - (ULONG_PTR)(b)))
#ifndef min
#ifndef __cplusplus
#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))
#endif
#endif

C_ASSERT(sizeof(ULONG) == 4);
C_ASSERT(sizeof(PVOID) == 8);
C_ASSERT(sizeof(WCHAR) == 2); /* compile with -fshort-wchar */

#include "ntsal.h"
#include "ntstatus.h"

#endif
