/* The object manager: types, objects, names, references, handles.
 *
 * What an object lives on: pointer references, and open handles, each of which
 * holds one. A temporary object loses its name with its last handle.
 */
#ifndef CBFUZZ_NTOB_H
#define CBFUZZ_NTOB_H

#include "ntse.h"

EXTERN_C_START

#define DELETE 0x00010000
#define READ_CONTROL 0x00020000
#define WRITE_DAC 0x00040000
#define WRITE_OWNER 0x00080000
#define SYNCHRONIZE 0x00100000
#define STANDARD_RIGHTS_REQUIRED 0x000F0000
#define STANDARD_RIGHTS_READ READ_CONTROL
#define STANDARD_RIGHTS_WRITE READ_CONTROL
#define STANDARD_RIGHTS_EXECUTE READ_CONTROL
#define STANDARD_RIGHTS_ALL 0x001F0000
#define SPECIFIC_RIGHTS_ALL 0x0000FFFF
#define ACCESS_SYSTEM_SECURITY 0x01000000
#define MAXIMUM_ALLOWED 0x02000000
#define GENERIC_READ 0x80000000
#define GENERIC_WRITE 0x40000000
#define GENERIC_EXECUTE 0x20000000
#define GENERIC_ALL 0x10000000
#define OBJECT_TYPE_CREATE 0x0001
/* What kernels' own types borrow from files and events. */
#define FILE_READ_DATA 0x0001
#define FILE_LIST_DIRECTORY 0x0001
#define FILE_WRITE_DATA 0x0002
#define FILE_ADD_FILE 0x0002
#define FILE_APPEND_DATA 0x0004
#define FILE_ADD_SUBDIRECTORY 0x0004
#define FILE_CREATE_PIPE_INSTANCE 0x0004
#define FILE_READ_EA 0x0008
#define FILE_WRITE_EA 0x0010
#define FILE_EXECUTE 0x0020
#define FILE_TRAVERSE 0x0020
#define FILE_DELETE_CHILD 0x0040
#define FILE_READ_ATTRIBUTES 0x0080
#define FILE_WRITE_ATTRIBUTES 0x0100
#define FILE_ALL_ACCESS (STANDARD_RIGHTS_REQUIRED | SYNCHRONIZE | 0x1FF)
#define FILE_GENERIC_READ                                                                          \
    (STANDARD_RIGHTS_READ | FILE_READ_DATA | FILE_READ_ATTRIBUTES | FILE_READ_EA | SYNCHRONIZE)
#define FILE_GENERIC_WRITE                                                                         \
    (STANDARD_RIGHTS_WRITE | FILE_WRITE_DATA | FILE_WRITE_ATTRIBUTES | FILE_WRITE_EA |             \
     FILE_APPEND_DATA | SYNCHRONIZE)
#define FILE_GENERIC_EXECUTE                                                                       \
    (STANDARD_RIGHTS_EXECUTE | FILE_READ_ATTRIBUTES | FILE_EXECUTE | SYNCHRONIZE)
#define EVENT_QUERY_STATE 0x0001
#define EVENT_MODIFY_STATE 0x0002
#define EVENT_ALL_ACCESS (STANDARD_RIGHTS_REQUIRED | SYNCHRONIZE | 0x3)
#define SEMAPHORE_QUERY_STATE 0x0001
#define SEMAPHORE_MODIFY_STATE 0x0002
#define SEMAPHORE_ALL_ACCESS (STANDARD_RIGHTS_REQUIRED | SYNCHRONIZE | 0x3)
#define SYMBOLIC_LINK_QUERY 0x0001
#define SYMBOLIC_LINK_ALL_ACCESS (STANDARD_RIGHTS_REQUIRED | 0x1)

#define OBJECT_TYPE_ALL_ACCESS (STANDARD_RIGHTS_REQUIRED | 0x1)
#define DIRECTORY_QUERY 0x0001
#define DIRECTORY_TRAVERSE 0x0002
#define DIRECTORY_CREATE_OBJECT 0x0004
#define DIRECTORY_CREATE_SUBDIRECTORY 0x0008
#define DIRECTORY_ALL_ACCESS (STANDARD_RIGHTS_REQUIRED | 0xF)
#define CALLBACK_MODIFY_STATE 0x0001
#define CALLBACK_ALL_ACCESS (STANDARD_RIGHTS_REQUIRED | SYNCHRONIZE | CALLBACK_MODIFY_STATE)

typedef struct _OBJECT_HANDLE_INFORMATION {
    ULONG HandleAttributes;
    ACCESS_MASK GrantedAccess;
} OBJECT_HANDLE_INFORMATION, *POBJECT_HANDLE_INFORMATION;

typedef struct _OBJECT_NAME_INFORMATION {
    UNICODE_STRING Name;
} OBJECT_NAME_INFORMATION, *POBJECT_NAME_INFORMATION;

typedef struct _ACCESS_STATE *PACCESS_STATE; /* opaque; NULL everywhere here */
typedef struct _OBJECT_TYPE *POBJECT_TYPE;

typedef enum _OB_OPEN_REASON {
    ObCreateHandle,
    ObOpenHandle,
    ObDuplicateHandle,
    ObInheritHandle,
    ObMaxOpenReason
} OB_OPEN_REASON;

/* What a type does. Delete: the last reference is gone; at PASSIVE_LEVEL. Open, close: a handle is
 * made, or closed; a failure of open is that of the call, and FALSE from OkayToClose leaves the
 * handle open. Parse: what lies behind an object, with the rest of the name; a referenced object.
 * Security: a new object's descriptor, when it is inserted with a name or with one. QueryName:
 * ObQueryNameString. Dump is for debuggers, which there are not. */
typedef VOID(NTAPI *OB_DELETE_METHOD)(PVOID Object);
typedef VOID(NTAPI *OB_CLOSE_METHOD)(PEPROCESS Process, PVOID Object, ACCESS_MASK Access,
                                     ULONG ProcessHandleCount, ULONG SystemHandleCount);
typedef VOID(NTAPI *OB_DUMP_METHOD)(PVOID Object, PVOID Control);
typedef NTSTATUS(NTAPI *OB_OPEN_METHOD)(OB_OPEN_REASON Reason, PEPROCESS Process, PVOID Object,
                                        ACCESS_MASK Access, ULONG HandleCount);
typedef NTSTATUS(NTAPI *OB_PARSE_METHOD)(PVOID Object, PVOID Type, PACCESS_STATE State,
                                         KPROCESSOR_MODE Mode, ULONG Attributes,
                                         PUNICODE_STRING CompleteName, PUNICODE_STRING Rest,
                                         PVOID Context, PVOID Security, PVOID *Result);
typedef NTSTATUS(NTAPI *OB_SECURITY_METHOD)(PVOID Object, SECURITY_OPERATION_CODE Operation,
                                            PSECURITY_INFORMATION Information,
                                            PSECURITY_DESCRIPTOR Descriptor, PULONG Length,
                                            PSECURITY_DESCRIPTOR *ObjectsDescriptor,
                                            POOL_TYPE PoolType, PGENERIC_MAPPING Mapping);
typedef NTSTATUS(NTAPI *OB_QUERYNAME_METHOD)(PVOID Object, BOOLEAN HasName,
                                             POBJECT_NAME_INFORMATION Information, ULONG Length,
                                             PULONG Returned, KPROCESSOR_MODE Mode);
typedef BOOLEAN(NTAPI *OB_OKAYTOCLOSE_METHOD)(PEPROCESS Process, PVOID Object, HANDLE Handle,
                                              KPROCESSOR_MODE Mode);

typedef struct _OBJECT_TYPE_INITIALIZER {
    USHORT Length;
    BOOLEAN UseDefaultObject;
    BOOLEAN CaseInsensitive;
    ULONG InvalidAttributes;
    GENERIC_MAPPING GenericMapping;
    ULONG ValidAccessMask;
    BOOLEAN SecurityRequired;
    BOOLEAN MaintainHandleCount;
    BOOLEAN MaintainTypeList;
    POOL_TYPE PoolType;
    ULONG DefaultPagedPoolCharge;
    ULONG DefaultNonPagedPoolCharge;
    OB_DUMP_METHOD DumpProcedure;
    OB_OPEN_METHOD OpenProcedure;
    OB_CLOSE_METHOD CloseProcedure;
    OB_DELETE_METHOD DeleteProcedure;
    OB_PARSE_METHOD ParseProcedure;
    OB_SECURITY_METHOD SecurityProcedure;
    OB_QUERYNAME_METHOD QueryNameProcedure;
    OB_OKAYTOCLOSE_METHOD OkayToCloseProcedure;
} OBJECT_TYPE_INITIALIZER, *POBJECT_TYPE_INITIALIZER;

/* Makes a type; STATUS_INVALID_PARAMETER, STATUS_OBJECT_NAME_COLLISION. IRQL <= APC_LEVEL.
 * Kernels' own; no public page. */
NTKERNELAPI NTSTATUS NTAPI ObCreateObjectType(PUNICODE_STRING TypeName,
                                              POBJECT_TYPE_INITIALIZER Initializer,
                                              PVOID SecurityDescriptor, POBJECT_TYPE *Type);
/* Makes an object with one reference and, if it is named, the name to insert it under.
 * STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER, STATUS_OBJECT_NAME_INVALID,
 * STATUS_ACCESS_VIOLATION (attributes probed for UserMode). IRQL <= APC_LEVEL. Kernels' own;
 * no public page. */
NTKERNELAPI NTSTATUS NTAPI ObCreateObject(KPROCESSOR_MODE ProbeMode, POBJECT_TYPE Type,
                                          POBJECT_ATTRIBUTES ObjectAttributes,
                                          KPROCESSOR_MODE OwnershipMode, PVOID ParseContext,
                                          ULONG BodySize, ULONG PagedCharge, ULONG NonPagedCharge,
                                          PVOID *Object);
/* Gives the object its name and, unless Handle is NULL, a handle, which takes the place of the
 * reference that ObCreateObject gave; without a handle the caller keeps that reference.
 * AdditionalReferences more go to the caller, NewObject says to which object. On failure the
 * reference is gone all the same. STATUS_OBJECT_NAME_EXISTS with OBJ_OPENIF (the handle is to
 * the one that exists), STATUS_OBJECT_NAME_COLLISION, failures of the look-up.
 * IRQL <= APC_LEVEL. (ntifs) */
NTKERNELAPI NTSTATUS NTAPI ObInsertObject(PVOID Object, PACCESS_STATE AccessState,
                                          ACCESS_MASK DesiredAccess, ULONG AdditionalReferences,
                                          PVOID *NewObject, PHANDLE Handle);
/* A handle to the object of that name and type. STATUS_ACCESS_VIOLATION (UserMode: attributes of a
 * user there are none here). IRQL <= APC_LEVEL. Kernels' own. */
NTKERNELAPI NTSTATUS NTAPI ObOpenObjectByName(POBJECT_ATTRIBUTES ObjectAttributes,
                                              POBJECT_TYPE Type, KPROCESSOR_MODE Mode,
                                              PACCESS_STATE AccessState, ACCESS_MASK DesiredAccess,
                                              PVOID ParseContext, PHANDLE Handle);
/* A handle to an object. STATUS_OBJECT_TYPE_MISMATCH. IRQL <= APC_LEVEL. (ntifs) */
NTKERNELAPI NTSTATUS NTAPI ObOpenObjectByPointer(PVOID Object, ULONG HandleAttributes,
                                                 PACCESS_STATE AccessState,
                                                 ACCESS_MASK DesiredAccess, POBJECT_TYPE Type,
                                                 KPROCESSOR_MODE Mode, PHANDLE Handle);
/* A reference to the object of that name and type. IRQL <= APC_LEVEL. Kernels' own. */
NTKERNELAPI NTSTATUS NTAPI ObReferenceObjectByName(PUNICODE_STRING Name, ULONG Attributes,
                                                   PACCESS_STATE AccessState,
                                                   ACCESS_MASK DesiredAccess, POBJECT_TYPE Type,
                                                   KPROCESSOR_MODE Mode, PVOID ParseContext,
                                                   PVOID *Object);
/* A reference to a handle's object. STATUS_INVALID_HANDLE (a kernel handle in UserMode, too),
 * STATUS_OBJECT_TYPE_MISMATCH, STATUS_ACCESS_DENIED (UserMode only). IRQL <= APC_LEVEL. (wdm) */
NTKERNELAPI NTSTATUS NTAPI ObReferenceObjectByHandle(HANDLE Handle, ACCESS_MASK DesiredAccess,
                                                     POBJECT_TYPE Type, KPROCESSOR_MODE Mode,
                                                     PVOID *Object,
                                                     POBJECT_HANDLE_INFORMATION Information);
/* One more reference if the type is right. IRQL <= DISPATCH_LEVEL. (wdm) */
NTKERNELAPI NTSTATUS NTAPI ObReferenceObjectByPointer(PVOID Object, ACCESS_MASK DesiredAccess,
                                                      POBJECT_TYPE Type, KPROCESSOR_MODE Mode);
/* One more reference; returns their number (reserved). IRQL <= DISPATCH_LEVEL. (wdm) */
NTKERNELAPI LONG_PTR NTAPI ObReferenceObject(PVOID Object);
#define ObfReferenceObject(o) ObReferenceObject(o)
#define ObReferenceObjectWithTag(o, t) ObReferenceObject(o)
#define ObReferenceObjectByHandleWithTag(h, a, y, m, t, o, i)                                      \
    ObReferenceObjectByHandle((h), (a), (y), (m), (o), (i))
#define ObReferenceObjectByPointerWithTag(o, a, y, m, t)                                           \
    ObReferenceObjectByPointer((o), (a), (y), (m))
/* One more reference unless the object is being deleted: then FALSE. (ntifs) */
NTKERNELAPI BOOLEAN NTAPI ObReferenceObjectSafe(PVOID Object);
/* One reference less; with the last one the object is deleted: at PASSIVE_LEVEL, by a system thread
 * if the caller is above. IRQL <= DISPATCH_LEVEL. (wdm) */
NTKERNELAPI LONG_PTR NTAPI ObDereferenceObject(PVOID Object);
#define ObfDereferenceObject(o) ObDereferenceObject(o)
#define ObDereferenceObjectWithTag(o, t) ObDereferenceObject(o)
/* The same, always by a system thread. IRQL <= DISPATCH_LEVEL. (ntifs) */
NTKERNELAPI VOID NTAPI ObDereferenceObjectDeferDelete(PVOID Object);
#define ObDereferenceObjectDeferDeleteWithTag(o, t) ObDereferenceObjectDeferDelete(o)
/* Makes an object temporary: without open handles its name goes. IRQL <= APC_LEVEL. (ntifs) */
NTKERNELAPI VOID NTAPI ObMakeTemporaryObject(PVOID Object);
/* The type of an object. IRQL <= DISPATCH_LEVEL. (ntifs) */
NTKERNELAPI POBJECT_TYPE NTAPI ObGetObjectType(PVOID Object);
/* The full name, as a UNICODE_STRING followed by its units; STATUS_INFO_LENGTH_MISMATCH.
 * IRQL <= APC_LEVEL. (ntifs) */
NTKERNELAPI NTSTATUS NTAPI ObQueryNameString(PVOID Object, POBJECT_NAME_INFORMATION Information,
                                             ULONG Length, PULONG ReturnLength);

/* ObMakeTemporaryObject on a handle. STATUS_INVALID_HANDLE. IRQL <= APC_LEVEL. (wdm) */
NTSYSAPI NTSTATUS NTAPI ZwMakeTemporaryObject(HANDLE Handle);
NTSYSCALLAPI NTSTATUS NTAPI NtMakeTemporaryObject(HANDLE Handle);
/* Closes a handle; a bad one stops. STATUS_HANDLE_NOT_CLOSABLE. IRQL <= APC_LEVEL. (wdm, ntifs) */
NTSYSAPI NTSTATUS NTAPI ZwClose(HANDLE Handle);
NTSYSCALLAPI NTSTATUS NTAPI NtClose(HANDLE Handle);
NTKERNELAPI NTSTATUS NTAPI ObCloseHandle(HANDLE Handle, KPROCESSOR_MODE Mode);
/* Makes a directory and a handle to it. IRQL <= APC_LEVEL. (wdm) */
NTSYSAPI NTSTATUS NTAPI ZwCreateDirectoryObject(PHANDLE Handle, ACCESS_MASK DesiredAccess,
                                                POBJECT_ATTRIBUTES ObjectAttributes);
NTSYSCALLAPI NTSTATUS NTAPI NtCreateDirectoryObject(PHANDLE Handle, ACCESS_MASK DesiredAccess,
                                                    POBJECT_ATTRIBUTES ObjectAttributes);
/* A handle to a directory that exists. IRQL <= APC_LEVEL. */
NTSYSAPI NTSTATUS NTAPI ZwOpenDirectoryObject(PHANDLE Handle, ACCESS_MASK DesiredAccess,
                                              POBJECT_ATTRIBUTES ObjectAttributes);
NTSYSCALLAPI NTSTATUS NTAPI NtOpenDirectoryObject(PHANDLE Handle, ACCESS_MASK DesiredAccess,
                                                  POBJECT_ATTRIBUTES ObjectAttributes);
/* Two handles that are always open, for ObReferenceObjectByHandle. */
#define NtCurrentProcess() ((HANDLE)(LONG_PTR)-1)
#define NtCurrentThread() ((HANDLE)(LONG_PTR)-2)
#define ZwCurrentThread() NtCurrentThread()
#define ZwCurrentProcess() NtCurrentProcess()

EXTERN_C_END

#endif
