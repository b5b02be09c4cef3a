/* Objects: how they are made, inserted and made temporary. */
#include "internal.h"

NTSTATUS ObCreateObjectType(PUNICODE_STRING TypeName, POBJECT_TYPE_INITIALIZER Initializer,
                            PVOID SecurityDescriptor, POBJECT_TYPE *Type) {
    (void)SecurityDescriptor;
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlObApcLte);
    if (TypeName == NULL || TypeName->Length == 0 || TypeName->Length % sizeof(WCHAR) != 0 ||
        Initializer == NULL || Initializer->Length != sizeof(*Initializer))
        return STATUS_INVALID_PARAMETER;
    for (struct _OBJECT_TYPE *other = nt_state.types; other != NULL; other = other->next)
        if (RtlEqualUnicodeString(&other->name, TypeName, FALSE))
            return STATUS_OBJECT_NAME_COLLISION;
    struct _OBJECT_TYPE *type = nt_arena_take(sizeof(*type) + TypeName->Length);
    if (type == NULL) return STATUS_INSUFFICIENT_RESOURCES;
    WCHAR *name = (WCHAR *)(type + 1);
    RtlCopyMemory(name, TypeName->Buffer, TypeName->Length);
    *type = (struct _OBJECT_TYPE){.next = nt_state.types,
                                  .info = *Initializer,
                                  .name = {TypeName->Length, TypeName->Length, name}};
    for (unsigned i = 0; i < 4 && i < TypeName->Length / sizeof(WCHAR); i++)
        type->tag |= (uint32_t)(name[i] & 0x7f) << (8 * i);
    nt_state.types = type;
    *Type = type;
    return STATUS_SUCCESS;
}

NTSTATUS nt_check_attributes(const OBJECT_ATTRIBUTES *attributes) {
    if (attributes == NULL || attributes->Length != sizeof(*attributes) ||
        (attributes->Attributes & ~(ULONG)OBJ_VALID_ATTRIBUTES) != 0)
        return STATUS_INVALID_PARAMETER;
    const SECURITY_DESCRIPTOR *security = attributes->SecurityDescriptor;
    if (NT_UNLIKELY(security != NULL) && security->Revision != SECURITY_DESCRIPTOR_REVISION)
        return STATUS_UNKNOWN_REVISION;
    return STATUS_SUCCESS;
}

NtObject *nt_object_create(struct _OBJECT_TYPE *type, size_t size, bool internal,
                           const void *site) {
    NtBlockKind kind = internal ? BLOCK_INTERNAL : BLOCK_OBJECT;
    void *body = nt_pool_allocate(kind, size == 0 ? 1 : size, type->tag, site);
    if (body == NULL) return NULL;
    NtObject *object = nt_arena_take(sizeof(*object));
    if (object == NULL) {
        nt_pool_release(body, "ObCreateObject", site);
        return NULL;
    }
    *object = (NtObject){.type = type, .body = body, .pointers = 1};
    nt_pool_attach(body, object);
    return object;
}

/* Keeps what ObInsertObject will need: the caller's strings may be gone by then. */
NTSTATUS nt_object_capture(NtObject *object, const OBJECT_ATTRIBUTES *attributes) {
    object->attributes = attributes->Attributes;
    object->root = attributes->RootDirectory;
    object->security = attributes->SecurityDescriptor;
    if (object->type->info.CaseInsensitive) object->attributes |= OBJ_CASE_INSENSITIVE;
    const UNICODE_STRING *name = attributes->ObjectName;
    if (name == NULL || name->Length == 0) return STATUS_SUCCESS;
    if (name->Length % sizeof(WCHAR) != 0) return STATUS_OBJECT_NAME_INVALID;
    object->name = nt_arena_take(name->Length);
    if (object->name == NULL) return STATUS_INSUFFICIENT_RESOURCES;
    RtlCopyMemory(object->name, name->Buffer, name->Length);
    object->name_length = name->Length / sizeof(WCHAR);
    return STATUS_SUCCESS;
}

NTSTATUS ObCreateObject(KPROCESSOR_MODE ProbeMode, POBJECT_TYPE Type,
                        POBJECT_ATTRIBUTES ObjectAttributes, KPROCESSOR_MODE OwnershipMode,
                        PVOID ParseContext, ULONG BodySize, ULONG PagedCharge, ULONG NonPagedCharge,
                        PVOID *Object) {
    (void)OwnershipMode, (void)ParseContext, (void)PagedCharge, (void)NonPagedCharge;
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlObApcLte);
    NT_SWITCH(NT_POINT_OBJECT, NULL);
    *Object = NULL;
    if (ObjectAttributes != NULL) {
        if (ProbeMode != KernelMode) return STATUS_ACCESS_VIOLATION;
        NTSTATUS status = nt_check_attributes(ObjectAttributes);
        if (!NT_SUCCESS(status)) return status;
        if ((ObjectAttributes->Attributes & Type->info.InvalidAttributes) != 0)
            return STATUS_INVALID_PARAMETER;
        if (ObjectAttributes->ObjectName != NULL &&
            ObjectAttributes->ObjectName->Length % sizeof(WCHAR) != 0)
            return STATUS_OBJECT_NAME_INVALID;
    }
    NtObject *object = nt_object_create(Type, BodySize, false, NT_SITE);
    if (object == NULL) return STATUS_INSUFFICIENT_RESOURCES;
    if (ObjectAttributes != NULL) {
        NTSTATUS status = nt_object_capture(object, ObjectAttributes);
        if (!NT_SUCCESS(status)) { /* never handed out: no delete procedure */
            object->state = OBJECT_DELETED;
            nt_pool_release(object->body, __func__, NT_SITE);
            return status;
        }
    }
    *Object = object->body;
    return STATUS_SUCCESS;
}

/* Puts a captured name into its directory. What has that name now is `found`, referenced. */
static NTSTATUS name_object(NtObject *object, NtObject **found) {
    USHORT bytes = (USHORT)(object->name_length * sizeof(WCHAR));
    UNICODE_STRING name = {bytes, bytes, object->name};
    NTSTATUS status = STATUS_SUCCESS;
    NtObject *there = NULL;
    object->name_length = 0;
    if (bytes != 0)
        status = nt_name_look_up(&name, object->root, object->attributes, NULL, object, &there);
    *found = there;
    if (there == NULL) {
        nt_object_reference(object);
        *found = object;
    }
    if (!NT_SUCCESS(status) || *found == object) return status;
    if (!(object->attributes & OBJ_OPENIF)) return STATUS_OBJECT_NAME_COLLISION;
    return there->type == object->type ? STATUS_OBJECT_NAME_EXISTS : STATUS_OBJECT_TYPE_MISMATCH;
}

/* A type that looks after its objects' security itself is told of a new one's. */
static NTSTATUS assign_security(NtObject *object) {
    OBJECT_TYPE_INITIALIZER *info = &object->type->info;
    if (info->SecurityProcedure == NULL) return STATUS_SUCCESS;
    if (object->security == NULL && object->directory == NULL && !info->SecurityRequired)
        return STATUS_SUCCESS;
    return info->SecurityProcedure(object->body, AssignSecurityDescriptor, NULL, object->security,
                                   NULL, NULL, info->PoolType, &info->GenericMapping);
}

NTSTATUS nt_object_insert(NtObject *object, ACCESS_MASK access, uint32_t more, PVOID *result,
                          PHANDLE handle) {
    NtObject *found = object;
    if (handle != NULL) *handle = NULL;
    if (object->inserted) {
        nt_object_dereference(object);
        return STATUS_INVALID_PARAMETER;
    }
    NTSTATUS status = name_object(object, &found);
    bool is_new = found == object;
    object->inserted = true;
    if (NT_SUCCESS(status)) {
        NTSTATUS next = is_new ? assign_security(object) : STATUS_SUCCESS;
        if (NT_SUCCESS(next) && handle != NULL)
            next = nt_handle_open(found, is_new ? ObCreateHandle : ObOpenHandle, access,
                                  object->attributes, handle);
        if (!NT_SUCCESS(next)) {
            status = next;
            if (is_new && object->directory != NULL) nt_directory_remove(object);
        }
    }
    if (NT_SUCCESS(status)) {
        if (handle == NULL && !is_new && result != NULL)
            nt_object_reference(found); /* in place of the reference that the new one had */
        while (more-- != 0)
            nt_object_reference(found);
        if (result != NULL) *result = found->body;
    }
    nt_object_dereference(found);
    if (!NT_SUCCESS(status) || handle != NULL || !is_new) nt_object_dereference(object);
    return status;
}

NTSTATUS ObInsertObject(PVOID Object, PACCESS_STATE AccessState, ACCESS_MASK DesiredAccess,
                        ULONG AdditionalReferences, PVOID *NewObject, PHANDLE Handle) {
    (void)AccessState;
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlObApcLte);
    NT_SWITCH(NT_POINT_OBJECT, Object);
    NtObject *object = nt_object_of(Object, NtRuleObjectUseAfterDelete, __func__, NT_SITE);
    return nt_object_insert(object, DesiredAccess, AdditionalReferences, NewObject, Handle);
}

void nt_object_name_check(NtObject *object) {
    if (object->handles == 0 && !(object->attributes & OBJ_PERMANENT) && object->directory != NULL)
        nt_directory_remove(object);
}

VOID ObMakeTemporaryObject(PVOID Object) {
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlObApcLte);
    NT_SWITCH(NT_POINT_OBJECT, Object);
    NtObject *object = nt_object_of(Object, NtRuleObjectUseAfterDelete, __func__, NT_SITE);
    object->attributes &= ~(uint32_t)OBJ_PERMANENT;
    nt_object_name_check(object);
}

POBJECT_TYPE ObGetObjectType(PVOID Object) {
    NT_IRQL_MAX(DISPATCH_LEVEL, NtRuleIrqlObDispatchLte);
    return nt_object_of(Object, NtRuleObjectUseAfterDelete, __func__, NT_SITE)->type;
}
