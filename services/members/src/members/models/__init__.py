"""Tables of the members service."""

from members.models.access import ApiKey, EntryToken, RefreshToken, SignIn, SignInAttempts, TokenKey
from members.models.metadata import Base
from members.models.organizations import ClockTarget, CsvImport, LocationCopy, SignUp
from members.models.people import Company, Customer, Member, StaffUser

__all__ = [
    "ApiKey",
    "Base",
    "ClockTarget",
    "Company",
    "CsvImport",
    "Customer",
    "EntryToken",
    "LocationCopy",
    "Member",
    "RefreshToken",
    "SignIn",
    "SignInAttempts",
    "SignUp",
    "StaffUser",
    "TokenKey",
]
