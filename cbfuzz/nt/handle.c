/* Handles: multiples of four that are never used twice within a program. */
#include "internal.h"

enum { FIRST_CAPACITY = 32 };

bool nt_handle_boot(void) {
    nt_state.handles = nt_arena_take(FIRST_CAPACITY * sizeof(NtHandleEntry));
    nt_state.handle_capacity = FIRST_CAPACITY;
    return nt_state.handles != NULL;
}

static bool grow(void) {
    uint32_t capacity = nt_state.handle_capacity * 2;
    NtHandleEntry *handles = nt_arena_take(capacity * sizeof(NtHandleEntry));
    if (handles == NULL) return false;
    RtlCopyMemory(handles, nt_state.handles, nt_state.handle_count * sizeof(NtHandleEntry));
    nt_state.handles = handles;
    nt_state.handle_capacity = capacity;
    return true;
}

/* What is granted of a wish: everything that the type knows, for all here is the kernel's. */
static ACCESS_MASK granted(const OBJECT_TYPE_INITIALIZER *info, ACCESS_MASK wish) {
    if (wish & MAXIMUM_ALLOWED) wish |= info->ValidAccessMask;
    wish &= ~(ACCESS_MASK)MAXIMUM_ALLOWED;
    RtlMapGenericMask(&wish, &info->GenericMapping);
    return info->ValidAccessMask == 0 ? wish
                                      : wish & (info->ValidAccessMask | ACCESS_SYSTEM_SECURITY);
}

NTSTATUS nt_handle_open(NtObject *object, OB_OPEN_REASON reason, ACCESS_MASK access,
                        ULONG attributes, PHANDLE handle) {
    if ((object->attributes & OBJ_EXCLUSIVE) && object->handles != 0) return STATUS_ACCESS_DENIED;
    if (nt_state.handle_count == nt_state.handle_capacity && !grow())
        return STATUS_INSUFFICIENT_RESOURCES;
    access = granted(&object->type->info, access);
    OB_OPEN_METHOD procedure = object->type->info.OpenProcedure;
    if (procedure != NULL) {
        NTSTATUS status =
            procedure(reason, PsGetCurrentProcess(), object->body, access, object->handles + 1);
        if (!NT_SUCCESS(status)) return status;
    }
    nt_state.handles[nt_state.handle_count++] = (NtHandleEntry){object, access, attributes};
    nt_state.open_handles++;
    object->handles++;
    nt_object_reference(object);
    *handle = (HANDLE)((uintptr_t)nt_state.handle_count * 4);
    return STATUS_SUCCESS;
}

NtHandleEntry *nt_handle_entry(HANDLE handle) {
    uintptr_t value = (uintptr_t)handle;
    if (value == 0 || value % 4 != 0 || value / 4 > nt_state.handle_count) return NULL;
    NtHandleEntry *entry = &nt_state.handles[value / 4 - 1];
    return entry->object == NULL ? NULL : entry;
}

static NTSTATUS close(HANDLE handle, const char *routine, const void *site) {
    NT_SWITCH(NT_POINT_OBJECT, handle);
    NtHandleEntry *entry = nt_handle_entry(handle);
    if (NT_UNLIKELY(entry == NULL))
        nt_stop(NtRuleHandleBad, site, (uintptr_t)handle, 0, routine, "found %p", handle);
    NtObject *object = entry->object;
    OB_OKAYTOCLOSE_METHOD may = object->type->info.OkayToCloseProcedure;
    if (may != NULL && !may(PsGetCurrentProcess(), object->body, handle, KernelMode))
        return STATUS_HANDLE_NOT_CLOSABLE;
    entry->object = NULL;
    nt_state.open_handles--;
    OB_CLOSE_METHOD procedure = object->type->info.CloseProcedure;
    if (procedure != NULL)
        procedure(PsGetCurrentProcess(), object->body, entry->access, object->handles,
                  object->handles);
    object->handles--;
    nt_object_name_check(object);
    nt_object_dereference(object);
    return STATUS_SUCCESS;
}

NTSTATUS ZwClose(HANDLE Handle) {
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlZwApcLte);
    return close(Handle, __func__, NT_SITE);
}

NTSTATUS NtClose(HANDLE Handle) {
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlZwApcLte);
    return close(Handle, __func__, NT_SITE);
}

NTSTATUS ObCloseHandle(HANDLE Handle, KPROCESSOR_MODE Mode) {
    (void)Mode;
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlObApcLte);
    return close(Handle, __func__, NT_SITE);
}

NTSTATUS ZwMakeTemporaryObject(HANDLE Handle) {
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlZwApcLte);
    NT_SWITCH(NT_POINT_OBJECT, Handle);
    NtHandleEntry *entry = nt_handle_entry(Handle);
    if (entry == NULL) return STATUS_INVALID_HANDLE;
    entry->object->attributes &= ~(uint32_t)OBJ_PERMANENT;
    nt_object_name_check(entry->object);
    return STATUS_SUCCESS;
}

NTSTATUS NtMakeTemporaryObject(HANDLE Handle) {
    return ZwMakeTemporaryObject(Handle);
}

NTSTATUS ObOpenObjectByName(POBJECT_ATTRIBUTES ObjectAttributes, POBJECT_TYPE Type,
                            KPROCESSOR_MODE Mode, PACCESS_STATE AccessState,
                            ACCESS_MASK DesiredAccess, PVOID ParseContext, PHANDLE Handle) {
    (void)AccessState;
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlObApcLte);
    NT_SWITCH(NT_POINT_OBJECT, NULL);
    *Handle = NULL;
    if (Mode != KernelMode) return STATUS_ACCESS_VIOLATION;
    NTSTATUS status = nt_check_attributes(ObjectAttributes);
    if (!NT_SUCCESS(status)) return status;
    ULONG attributes = ObjectAttributes->Attributes;
    if (Type != NULL && Type->info.CaseInsensitive) attributes |= OBJ_CASE_INSENSITIVE;
    NtObject *object = NULL;
    status = nt_name_look_up(ObjectAttributes->ObjectName, ObjectAttributes->RootDirectory,
                             attributes, ParseContext, NULL, &object);
    if (!NT_SUCCESS(status)) return status;
    if (Type != NULL && object->type != Type) status = STATUS_OBJECT_TYPE_MISMATCH;
    else status = nt_handle_open(object, ObOpenHandle, DesiredAccess, attributes, Handle);
    nt_object_dereference(object);
    return status;
}

NTSTATUS ObOpenObjectByPointer(PVOID Object, ULONG HandleAttributes, PACCESS_STATE AccessState,
                               ACCESS_MASK DesiredAccess, POBJECT_TYPE Type, KPROCESSOR_MODE Mode,
                               PHANDLE Handle) {
    (void)AccessState, (void)Mode;
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlObApcLte);
    NT_SWITCH(NT_POINT_OBJECT, Object);
    *Handle = NULL;
    NtObject *object = nt_object_of(Object, NtRuleObjectUseAfterDelete, __func__, NT_SITE);
    if (Type != NULL && object->type != Type) return STATUS_OBJECT_TYPE_MISMATCH;
    return nt_handle_open(object, ObOpenHandle, DesiredAccess, HandleAttributes, Handle);
}

/* Two handles that nobody opened. */
static NTSTATUS reference_current(HANDLE handle, POBJECT_TYPE type, PVOID *body,
                                  POBJECT_HANDLE_INFORMATION information) {
    PVOID current = handle == NtCurrentProcess() ? nt_state.process : nt_current_thread;
    NtObject *object = nt_pool_attached(current);
    if (type != NULL && object->type != type) return STATUS_OBJECT_TYPE_MISMATCH;
    if (information != NULL) *information = (OBJECT_HANDLE_INFORMATION){0, THREAD_ALL_ACCESS};
    nt_object_reference(object);
    *body = current;
    return STATUS_SUCCESS;
}

NTSTATUS ObReferenceObjectByHandle(HANDLE Handle, ACCESS_MASK DesiredAccess, POBJECT_TYPE Type,
                                   KPROCESSOR_MODE Mode, PVOID *Object,
                                   POBJECT_HANDLE_INFORMATION Information) {
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlObApcLte);
    NT_SWITCH(NT_POINT_OBJECT, Handle);
    *Object = NULL;
    if (Handle == NtCurrentProcess() || Handle == NtCurrentThread())
        return reference_current(Handle, Type, Object, Information);
    const NtHandleEntry *entry = nt_handle_entry(Handle);
    if (entry == NULL || (Mode != KernelMode && (entry->attributes & OBJ_KERNEL_HANDLE)))
        return STATUS_INVALID_HANDLE;
    if (Type != NULL && entry->object->type != Type) return STATUS_OBJECT_TYPE_MISMATCH;
    if (Mode != KernelMode && (DesiredAccess & ~entry->access) != 0) return STATUS_ACCESS_DENIED;
    if (Information != NULL) {
        Information->HandleAttributes = entry->attributes & OBJ_INHERIT;
        Information->GrantedAccess = entry->access;
    }
    nt_object_reference(entry->object);
    *Object = entry->object->body;
    return STATUS_SUCCESS;
}
