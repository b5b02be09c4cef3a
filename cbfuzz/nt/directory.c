/* Directories: objects that hold named ones, in order of insertion. */
#include "internal.h"

bool nt_directory_boot(void) {
    OBJECT_TYPE_INITIALIZER info = {
        .Length = sizeof(info), .PoolType = PagedPool, .ValidAccessMask = DIRECTORY_ALL_ACCESS};
    info.GenericMapping = (GENERIC_MAPPING){
        STANDARD_RIGHTS_READ | DIRECTORY_QUERY | DIRECTORY_TRAVERSE,
        STANDARD_RIGHTS_WRITE | DIRECTORY_CREATE_OBJECT | DIRECTORY_CREATE_SUBDIRECTORY,
        STANDARD_RIGHTS_EXECUTE | DIRECTORY_QUERY | DIRECTORY_TRAVERSE, DIRECTORY_ALL_ACCESS};
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"Directory");
    if (!NT_SUCCESS(ObCreateObjectType(&name, &info, NULL, &nt_state.directory_type))) return false;
    nt_state.root = nt_object_create(nt_state.directory_type, 16, true, NULL);
    if (nt_state.root != NULL) nt_state.root->attributes = OBJ_PERMANENT;
    return nt_state.root != NULL;
}

/* An exact match wins over one that differs in case only; then the older one. */
NtObject *nt_directory_find(NtObject *directory, const WCHAR *name, size_t units, uint32_t hash,
                            bool insensitive) {
    NtObject *similar = NULL;
    for (NtObject *entry = directory->first; entry != NULL; entry = entry->next) {
        if (entry->hash != hash || entry->name_length != units) continue;
        if (nt_equal_units(entry->name, name, units, false)) return entry;
        if (insensitive && similar == NULL && nt_equal_units(entry->name, name, units, true))
            similar = entry;
    }
    return similar;
}

/* The name holds a reference to the object, the object one to the directory. */
void nt_directory_insert(NtObject *directory, NtObject *object, WCHAR *name, size_t units,
                         uint32_t hash) {
    object->name = name;
    object->name_length = (uint16_t)units;
    object->hash = hash;
    object->directory = directory;
    object->next = NULL;
    object->previous = directory->last;
    *(directory->last != NULL ? &directory->last->next : &directory->first) = object;
    directory->last = object;
    nt_object_reference(object);
    nt_object_reference(directory);
}

void nt_directory_remove(NtObject *object) {
    NtObject *directory = object->directory;
    *(object->previous != NULL ? &object->previous->next : &directory->first) = object->next;
    *(object->next != NULL ? &object->next->previous : &directory->last) = object->previous;
    object->directory = object->previous = object->next = NULL;
    object->name_length = 0;
    nt_object_dereference(directory);
    nt_object_dereference(object);
}

NTSTATUS ZwCreateDirectoryObject(PHANDLE Handle, ACCESS_MASK DesiredAccess,
                                 POBJECT_ATTRIBUTES ObjectAttributes) {
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlZwApcLte);
    NT_SWITCH(NT_POINT_OBJECT, NULL);
    NTSTATUS status = nt_check_attributes(ObjectAttributes);
    if (!NT_SUCCESS(status)) return status;
    NtObject *directory = nt_object_create(nt_state.directory_type, 16, true, NT_SITE);
    if (directory == NULL) return STATUS_INSUFFICIENT_RESOURCES;
    status = nt_object_capture(directory, ObjectAttributes);
    if (!NT_SUCCESS(status)) {
        nt_object_dereference(directory);
        return status;
    }
    return nt_object_insert(directory, DesiredAccess, 0, NULL, Handle);
}

NTSTATUS NtCreateDirectoryObject(PHANDLE Handle, ACCESS_MASK DesiredAccess,
                                 POBJECT_ATTRIBUTES ObjectAttributes) {
    return ZwCreateDirectoryObject(Handle, DesiredAccess, ObjectAttributes);
}

NTSTATUS NtOpenDirectoryObject(PHANDLE Handle, ACCESS_MASK DesiredAccess,
                               POBJECT_ATTRIBUTES ObjectAttributes) {
    return ZwOpenDirectoryObject(Handle, DesiredAccess, ObjectAttributes);
}

NTSTATUS ZwOpenDirectoryObject(PHANDLE Handle, ACCESS_MASK DesiredAccess,
                               POBJECT_ATTRIBUTES ObjectAttributes) {
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlZwApcLte);
    return ObOpenObjectByName(ObjectAttributes, nt_state.directory_type, KernelMode, NULL,
                              DesiredAccess, NULL, Handle);
}
