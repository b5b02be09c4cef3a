/* Security descriptors and access masks: kept in shape, no more. */
#include "internal.h"

static SECURITY_DESCRIPTOR for_all = {.Revision = SECURITY_DESCRIPTOR_REVISION,
                                      .Control = SE_DACL_PRESENT};
PSECURITY_DESCRIPTOR SePublicDefaultSd = &for_all;
PSECURITY_DESCRIPTOR SePublicDefaultUnrestrictedSd = &for_all;
PSECURITY_DESCRIPTOR SePublicOpenSd = &for_all;
PSECURITY_DESCRIPTOR SePublicOpenUnrestrictedSd = &for_all;
PSECURITY_DESCRIPTOR SeSystemDefaultSd = &for_all;
PSECURITY_DESCRIPTOR SeUnrestrictedSd = &for_all;

NTSTATUS RtlCreateSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, ULONG Revision) {
    if (Revision != SECURITY_DESCRIPTOR_REVISION) return STATUS_UNKNOWN_REVISION;
    *(SECURITY_DESCRIPTOR *)SecurityDescriptor = (SECURITY_DESCRIPTOR){.Revision = (UCHAR)Revision};
    return STATUS_SUCCESS;
}

NTSTATUS RtlSetDaclSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, BOOLEAN DaclPresent,
                                      PACL Dacl, BOOLEAN DaclDefaulted) {
    SECURITY_DESCRIPTOR *descriptor = SecurityDescriptor;
    if (descriptor->Revision != SECURITY_DESCRIPTOR_REVISION) return STATUS_UNKNOWN_REVISION;
    if (descriptor->Control & SE_SELF_RELATIVE) return STATUS_INVALID_SECURITY_DESCR;
    descriptor->Control &= (USHORT) ~(SE_DACL_PRESENT | SE_DACL_DEFAULTED);
    if (!DaclPresent) return STATUS_SUCCESS;
    descriptor->Control |= DaclDefaulted ? SE_DACL_PRESENT | SE_DACL_DEFAULTED : SE_DACL_PRESENT;
    descriptor->Dacl = Dacl;
    return STATUS_SUCCESS;
}

NTSTATUS RtlCreateAcl(PACL Acl, ULONG AclLength, ULONG AclRevision) {
    if (AclLength < sizeof(ACL)) return STATUS_BUFFER_TOO_SMALL;
    if (AclRevision < ACL_REVISION || AclRevision > 4 || AclLength > MAXUSHORT)
        return STATUS_INVALID_PARAMETER;
    *Acl = (ACL){.AclRevision = (UCHAR)AclRevision, .AclSize = (USHORT)(AclLength & ~3u)};
    return STATUS_SUCCESS;
}

/* A self-relative one has offsets where others have pointers; nobody makes such a one here. */
static const ACL *list_of(const SECURITY_DESCRIPTOR *descriptor) {
    bool has = (descriptor->Control & (SE_DACL_PRESENT | SE_SELF_RELATIVE)) == SE_DACL_PRESENT;
    return has ? descriptor->Dacl : NULL;
}

BOOLEAN RtlValidSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor) {
    const SECURITY_DESCRIPTOR *descriptor = SecurityDescriptor;
    if (descriptor == NULL || descriptor->Revision != SECURITY_DESCRIPTOR_REVISION) return FALSE;
    const ACL *list = list_of(descriptor);
    return list == NULL || (list->AclRevision >= ACL_REVISION && list->AclSize >= sizeof(ACL));
}

ULONG RtlLengthSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor) {
    const ACL *list = list_of(SecurityDescriptor);
    return (ULONG)sizeof(SECURITY_DESCRIPTOR) + (list == NULL ? 0 : list->AclSize);
}

VOID RtlMapGenericMask(PACCESS_MASK AccessMask, const GENERIC_MAPPING *GenericMapping) {
    if (*AccessMask & GENERIC_READ) *AccessMask |= GenericMapping->GenericRead;
    if (*AccessMask & GENERIC_WRITE) *AccessMask |= GenericMapping->GenericWrite;
    if (*AccessMask & GENERIC_EXECUTE) *AccessMask |= GenericMapping->GenericExecute;
    if (*AccessMask & GENERIC_ALL) *AccessMask |= GenericMapping->GenericAll;
    *AccessMask &= ~(GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE | GENERIC_ALL);
}
