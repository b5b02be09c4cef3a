/* Names: how a path leads through directories to an object. */
#include "internal.h"

static bool is_directory(const NtObject *object) {
    return object->type == nt_state.directory_type;
}

/* Where a look-up begins: the root, or the directory behind a handle. */
static NTSTATUS start_of(HANDLE root, const WCHAR *name, size_t units, NtObject **start) {
    if (root == NULL) {
        if (units == 0 || name == NULL || name[0] != '\\') return STATUS_OBJECT_PATH_SYNTAX_BAD;
        *start = nt_state.root;
        return STATUS_SUCCESS;
    }
    const NtHandleEntry *entry = nt_handle_entry(root);
    if (entry == NULL) return STATUS_INVALID_HANDLE;
    if (!is_directory(entry->object)) return STATUS_OBJECT_TYPE_MISMATCH;
    if (units != 0 && (name == NULL || name[0] == '\\')) return STATUS_OBJECT_PATH_SYNTAX_BAD;
    *start = entry->object;
    return STATUS_SUCCESS;
}

/* Units of the component at the start of a path. */
static size_t component(const WCHAR *path, size_t units) {
    size_t length = 0;
    while (length < units && path[length] != '\\')
        length++;
    return length;
}

/* A type of its own may know what lies behind one of its objects. */
static NTSTATUS parse(NtObject *object, const UNICODE_STRING *whole, const WCHAR *rest,
                      size_t units, ULONG attributes, PVOID context, NtObject **found) {
    UNICODE_STRING complete = *whole;
    UNICODE_STRING remaining = {(USHORT)(units * sizeof(WCHAR)), (USHORT)(units * sizeof(WCHAR)),
                                (PWSTR)rest};
    PVOID body = NULL;
    NTSTATUS status =
        object->type->info.ParseProcedure(object->body, object->type, NULL, KernelMode, attributes,
                                          &complete, &remaining, context, NULL, &body);
    if (!NT_SUCCESS(status)) return status;
    if (body == NULL || status == STATUS_REPARSE) return STATUS_OBJECT_NAME_NOT_FOUND;
    *found = nt_object_of(body, NtRuleObjectUseAfterDelete, "ParseProcedure",
                          (const void *)object->type->info.ParseProcedure);
    return STATUS_SUCCESS;
}

NTSTATUS nt_name_look_up(const UNICODE_STRING *whole, HANDLE root, ULONG attributes, PVOID context,
                         NtObject *insert, NtObject **found) {
    NtObject *object = NULL;
    const WCHAR *name = whole == NULL ? NULL : whole->Buffer;
    size_t bytes = whole == NULL ? 0 : whole->Length;
    size_t left = bytes / sizeof(WCHAR);
    if (bytes % sizeof(WCHAR) != 0) return STATUS_OBJECT_NAME_INVALID;
    NTSTATUS status = start_of(root, name, left, &object);
    if (!NT_SUCCESS(status)) return status;
    if (root == NULL) { /* the leading backslash is the root itself */
        name++;
        left--;
    }
    while (left != 0) {
        if (!is_directory(object)) return STATUS_OBJECT_TYPE_MISMATCH;
        size_t length = component(name, left);
        if (length == 0) return STATUS_OBJECT_NAME_INVALID;
        NtObject *directory = object;
        uint32_t hash = nt_hash_units(name, length);
        object = nt_directory_find(directory, name, length, hash,
                                   (attributes & OBJ_CASE_INSENSITIVE) != 0);
        bool last = length == left;
        if (object == NULL) {
            if (!last) return STATUS_OBJECT_PATH_NOT_FOUND;
            if (insert == NULL) return STATUS_OBJECT_NAME_NOT_FOUND;
            nt_directory_insert(directory, insert, (WCHAR *)name, length, hash);
            nt_object_reference(insert);
            *found = insert;
            return STATUS_SUCCESS;
        }
        name += length;
        left -= length;
        if (NT_UNLIKELY(object->type->info.ParseProcedure != NULL) && insert == NULL)
            return parse(object, whole, name, left, attributes, context, found);
        if (!last) { /* what follows the separator is a component, if only an empty one */
            if (!is_directory(object)) return STATUS_OBJECT_TYPE_MISMATCH;
            if (left == 1) return STATUS_OBJECT_NAME_INVALID;
            name++;
            left--;
        }
    }
    nt_object_reference(object);
    *found = object;
    return STATUS_SUCCESS;
}

NTSTATUS ObQueryNameString(PVOID Object, POBJECT_NAME_INFORMATION Information, ULONG Length,
                           PULONG ReturnLength) {
    NT_IRQL_MAX(APC_LEVEL, NtRuleIrqlObApcLte);
    const NtObject *object = nt_object_of(Object, NtRuleObjectUseAfterDelete, __func__, NT_SITE);
    OB_QUERYNAME_METHOD procedure = object->type->info.QueryNameProcedure;
    if (procedure != NULL) {
        ULONG written = 0;
        NTSTATUS status =
            procedure(Object, object->directory != NULL, Information, Length, &written, KernelMode);
        if (ReturnLength != NULL) *ReturnLength = written;
        return status;
    }
    size_t units = object == nt_state.root;
    for (const NtObject *o = object; o->directory != NULL; o = o->directory)
        units += o->name_length + 1u;
    ULONG need = (ULONG)(sizeof(UNICODE_STRING) + (units == 0 ? 0 : (units + 1) * sizeof(WCHAR)));
    if (ReturnLength != NULL) *ReturnLength = need;
    if (Length < need || units > UNICODE_STRING_MAX_CHARS) return STATUS_INFO_LENGTH_MISMATCH;
    WCHAR *text = (WCHAR *)(Information + 1);
    Information->Name = (UNICODE_STRING){0, 0, NULL};
    if (units == 0) return STATUS_SUCCESS;
    Information->Name.Length = (USHORT)(units * sizeof(WCHAR));
    Information->Name.MaximumLength = (USHORT)(need - sizeof(UNICODE_STRING));
    Information->Name.Buffer = text;
    WCHAR *end = text + units;
    *end = 0;
    if (object == nt_state.root) *text = '\\';
    for (const NtObject *o = object; o->directory != NULL; o = o->directory) {
        end -= o->name_length;
        RtlCopyMemory(end, o->name, o->name_length * sizeof(WCHAR));
        *--end = '\\';
    }
    return STATUS_SUCCESS;
}
