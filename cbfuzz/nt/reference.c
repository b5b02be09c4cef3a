/* References: what keeps an object alive, and what happens with the last one. */
#include "internal.h"

NtObject *nt_object_of(const void *body, NtRule deleted, const char *routine, const void *site) {
    NtBlockKind kind = BLOCK_NONPAGED;
    NtBlockState state = nt_pool_state(body, &kind);
    NtObject *object =
        state == BLOCK_UNKNOWN || kind < BLOCK_OBJECT ? NULL : nt_pool_attached(body);
    if (NT_UNLIKELY(object == NULL))
        nt_stop(NtRuleObjectBadPointer, site, (uintptr_t)body, 0, routine, "found %p", body);
    if (NT_UNLIKELY(object->state != OBJECT_LIVE))
        nt_stop(deleted, site, (uintptr_t)body, (uint64_t)object->pointers, routine,
                "the object at %p is %s", body,
                object->state == OBJECT_DELETING ? "being deleted" : "deleted");
    return object;
}

void nt_object_reference(NtObject *object) {
    object->pointers++;
}

static VOID destroy(PVOID context) {
    NtObject *object = context;
    OB_DELETE_METHOD procedure = object->type->info.DeleteProcedure;
    if (procedure != NULL) procedure(object->body);
    object->state = OBJECT_DELETED;
    nt_pool_release(object->body, "ObDereferenceObject", NULL);
}

/* A delete procedure runs at PASSIVE_LEVEL, whatever the level of who gave the last reference
 * back: a thread runs it, at once, unless it has to wait for something. */
static void destroy_elsewhere(NtObject *object) {
    struct _KTHREAD *thread = nt_thread_create(destroy, object, NULL);
    if (thread == NULL) {
        destroy(object);
        return;
    }
    thread->priority = HIGH_PRIORITY;
    nt_yield();
}

/* An object that is still named has the name's reference and cannot come here. */
static int64_t dereference(NtObject *object, bool elsewhere) {
    int64_t left = --object->pointers;
    if (left != 0) return left;
    object->state = OBJECT_DELETING;
    bool here = nt_current_thread->irql == PASSIVE_LEVEL && !elsewhere;
    if (here || object->type->info.DeleteProcedure == NULL) destroy(object);
    else destroy_elsewhere(object);
    return 0;
}

int64_t nt_object_dereference(NtObject *object) {
    return dereference(object, false);
}

/* Each name and each open handle holds a reference: a caller who takes one of those
 * has given back more than was its own. */
static void check_owned(const NtObject *object, const char *routine, const void *site) {
    int64_t held = (int64_t)object->handles + (object->directory != NULL);
    if (NT_UNLIKELY(object->pointers <= held))
        nt_stop(NtRuleObjectOverDereference, site, (uintptr_t)object->body,
                (uint64_t)object->pointers, routine,
                "all %lld references belong to handles or the name", (long long)object->pointers);
}

LONG_PTR ObReferenceObject(PVOID Object) {
    NT_IRQL_MAX(DISPATCH_LEVEL, NtRuleIrqlObDispatchLte);
    NT_SWITCH(NT_POINT_OBJECT, Object);
    return ++nt_object_of(Object, NtRuleObjectUseAfterDelete, __func__, NT_SITE)->pointers;
}

NTSTATUS ObReferenceObjectByPointer(PVOID Object, ACCESS_MASK DesiredAccess, POBJECT_TYPE Type,
                                    KPROCESSOR_MODE Mode) {
    (void)DesiredAccess, (void)Mode;
    NT_IRQL_MAX(DISPATCH_LEVEL, NtRuleIrqlObDispatchLte);
    NT_SWITCH(NT_POINT_OBJECT, Object);
    NtObject *object = nt_object_of(Object, NtRuleObjectUseAfterDelete, __func__, NT_SITE);
    if (Type != NULL && object->type != Type) return STATUS_OBJECT_TYPE_MISMATCH;
    object->pointers++;
    return STATUS_SUCCESS;
}

BOOLEAN ObReferenceObjectSafe(PVOID Object) {
    NT_IRQL_MAX(DISPATCH_LEVEL, NtRuleIrqlObDispatchLte);
    NT_SWITCH(NT_POINT_OBJECT, Object);
    NtBlockKind kind = BLOCK_NONPAGED;
    if (nt_pool_state(Object, &kind) == BLOCK_LIVE && kind >= BLOCK_OBJECT &&
        nt_pool_attached(Object)->state == OBJECT_DELETING)
        return FALSE;
    nt_object_of(Object, NtRuleObjectUseAfterDelete, __func__, NT_SITE)->pointers++;
    return TRUE;
}

LONG_PTR ObDereferenceObject(PVOID Object) {
    NT_IRQL_MAX(DISPATCH_LEVEL, NtRuleIrqlObDispatchLte);
    NT_SWITCH(NT_POINT_OBJECT, Object);
    NtObject *object = nt_object_of(Object, NtRuleObjectOverDereference, __func__, NT_SITE);
    check_owned(object, __func__, NT_SITE);
    return nt_object_dereference(object);
}

VOID ObDereferenceObjectDeferDelete(PVOID Object) {
    NT_IRQL_MAX(DISPATCH_LEVEL, NtRuleIrqlObDispatchLte);
    NT_SWITCH(NT_POINT_OBJECT, Object);
    NtObject *object = nt_object_of(Object, NtRuleObjectOverDereference, __func__, NT_SITE);
    check_owned(object, __func__, NT_SITE);
    dereference(object, true);
}

NTSTATUS ObReferenceObjectByName(PUNICODE_STRING Name, ULONG Attributes, PACCESS_STATE AccessState,
                                 ACCESS_MASK DesiredAccess, POBJECT_TYPE Type, KPROCESSOR_MODE Mode,
                                 PVOID ParseContext, PVOID *Object) {
    (void)AccessState, (void)DesiredAccess, (void)Mode;
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlObApcLte);
    NT_SWITCH(NT_POINT_OBJECT, NULL);
    *Object = NULL;
    if ((Attributes & ~(ULONG)OBJ_VALID_ATTRIBUTES) != 0) return STATUS_INVALID_PARAMETER;
    if (Type != NULL && Type->info.CaseInsensitive) Attributes |= OBJ_CASE_INSENSITIVE;
    NtObject *object = NULL;
    NTSTATUS status = nt_name_look_up(Name, NULL, Attributes, ParseContext, NULL, &object);
    if (!NT_SUCCESS(status)) return status;
    if (Type != NULL && object->type != Type) {
        nt_object_dereference(object);
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    *Object = object->body;
    return STATUS_SUCCESS;
}
