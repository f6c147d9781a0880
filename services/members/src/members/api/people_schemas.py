"""Bodies about members, companies and staff users."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from common.auth import Role
from common.auth.access import STAFF
from common.http import Id, Instant, ListQuery, Percent, StrictSchema, Text
from contracts.taxes import MOST_TAXES, TAX_CATEGORIES
from members.api.fields import Email, Password, language_tag


class TaxSchema(StrictSchema):
    """One tax; parallel ones are told apart by their names."""

    name = Text(longest=50, load_default="", shortest=0, metadata={"example": "GST"})
    percent = Percent(required=True, metadata={"example": "5"})
    category = fields.String(validate=validate.OneOf(TAX_CATEGORIES), metadata={"example": "S"})


class StoredTaxSchema(TaxSchema):
    """The same as it is kept: percentages are decimal strings already."""

    percent = fields.String(metadata={"example": "5"})  # type: ignore[assignment]


class BillingSchema(StrictSchema):
    """Whom an invoice is addressed to; what is missing is taken from the person or company."""

    name = Text(allow_none=True)
    address = fields.Dict(
        keys=Text(longest=40),
        values=Text(shortest=0),
        allow_none=True,
        metadata={"example": {"street": "Kai 1", "city": "Hamburg", "postal_code": "20457", "country": "DE"}},
    )
    vat_number = Text(longest=30, allow_none=True, metadata={"example": "DE136695976"})
    email = Email(allow_none=True)
    language = Text(validate=language_tag, allow_none=True, metadata={"example": "en"})
    purchase_order = Text(longest=100, allow_none=True)
    tax_percent = Percent(allow_none=True)
    tax_category = fields.String(validate=validate.OneOf(TAX_CATEGORIES), allow_none=True)
    taxes = fields.List(
        fields.Nested(TaxSchema),
        allow_none=True,
        validate=validate.Length(1, MOST_TAXES),
        metadata={"description": "Parallel taxes, each computed and rounded alone; tax_percent is then their sum."},
    )

    @validates_schema
    def check_one_form(self, data: dict[str, Any], **_kwargs: Any) -> None:
        """Parallel taxes and the one tax exclude each other."""
        if data.get("taxes") and (data.get("tax_percent") is not None or data.get("tax_category") is not None):
            raise ValidationError("Give either taxes, or the one tax by its short form.", "taxes")


class StoredBillingSchema(BillingSchema):
    """The same as it is kept: percentages are decimal strings already."""

    tax_percent = fields.String(allow_none=True, metadata={"example": "19"})  # type: ignore[assignment]
    taxes = fields.List(fields.Nested(StoredTaxSchema), allow_none=True)


class CustomerInSchema(StrictSchema):
    """What members and companies have in common."""

    name = Text(required=True, metadata={"example": "Example Member"})
    email = Email(allow_none=True)
    phone = Text(longest=40, allow_none=True)
    location_id = Id("loc", allow_none=True)
    billing = fields.Nested(BillingSchema)
    billing_day = fields.Integer(
        strict=True,
        allow_none=True,
        validate=validate.Range(1, 31),
        metadata={"description": "Overrides the organisation's period start (BIL-1)"},
    )
    auto_collect = fields.Boolean()
    reminders = fields.Boolean()
    language = Text(validate=language_tag, allow_none=True, metadata={"example": "en"})


class MemberInSchema(CustomerInSchema):
    """What a member is made of."""

    company_id = Id("com", allow_none=True)
    is_billing_person = fields.Boolean(metadata={"description": "Sees the company's invoices (ACC-1)"})
    is_contact_person = fields.Boolean(metadata={"description": "Edits the company (ACC-1)"})


class MemberPatchSchema(MemberInSchema):
    """What can be changed about a member."""

    status = fields.String(validate=validate.OneOf(("active", "archived")))


class MemberSchema(MemberInSchema):
    """A member."""

    id = Id("mem")
    billing = fields.Nested(StoredBillingSchema)
    status = fields.String(validate=validate.OneOf(("active", "archived", "erased")))
    created_at = Instant()
    last_sign_in_at = Instant(allow_none=True)
    version = fields.Integer()


class CompanyInSchema(CustomerInSchema):
    """What a company is made of."""

    EXAMPLE = {"name": "Example Ltd", "email": "office@company.example"}


class CompanyPatchSchema(CompanyInSchema):
    """What can be changed about a company."""

    status = fields.String(validate=validate.OneOf(("active", "archived")))


class CompanySchema(CompanyInSchema):
    """A company."""

    id = Id("com")
    billing = fields.Nested(StoredBillingSchema)
    status = fields.String(validate=validate.OneOf(("active", "archived")))
    created_at = Instant()
    version = fields.Integer()


class CompanyQuery(ListQuery):
    """Filters of the list of companies."""

    q = fields.String(validate=validate.Length(max=200), metadata={"description": "Part of a name or e-mail address"})
    email = fields.String(validate=validate.Length(max=254))
    location_id = Id("loc")
    status = fields.String(load_default="active", validate=validate.OneOf(("active", "archived", "all")))


class MemberQuery(CompanyQuery):
    """Filters of the list of members."""

    company_id = Id("com")
    status = fields.String(load_default="active", validate=validate.OneOf(("active", "archived", "erased", "all")))


class UserInSchema(StrictSchema):
    """What a staff user is made of; without ``location_ids`` they work at every location."""

    name = Text(required=True, metadata={"example": "Example Host"})
    email = Email(required=True, metadata={"example": "host@harbour.example"})
    role = fields.String(required=True, validate=validate.OneOf([role.value for role in STAFF]))
    location_ids = fields.List(Id("loc"), allow_none=True, validate=validate.Length(1, 200))
    language = Text(validate=language_tag, allow_none=True, metadata={"example": "en"})


class UserPatchSchema(UserInSchema):
    """What can be changed about a staff user."""

    status = fields.String(validate=validate.OneOf(("active", "deactivated")))


class UserSchema(UserInSchema):
    """A staff user."""

    id = Id("usr")
    status = fields.String(validate=validate.OneOf(("invited", "active", "deactivated")))
    created_at = Instant()
    last_sign_in_at = Instant(allow_none=True)
    version = fields.Integer()


class UserQuery(ListQuery):
    """Filters of the list of users."""

    q = fields.String(validate=validate.Length(max=200))
    role = fields.String(validate=validate.OneOf([role.value for role in STAFF]))
    status = fields.String(validate=validate.OneOf(("invited", "active", "deactivated")))


class MeSchema(StrictSchema):
    """Who is asking: ids as in tokens, and what pages need to know about them."""

    subject = fields.String(metadata={"example": "usr_0192f0c8a1b27def8a3b0c1d2e3f4a5b"})
    role = fields.String(validate=validate.OneOf([role.value for role in Role]))
    name = fields.String()
    email = fields.String(allow_none=True)
    language = fields.String(allow_none=True)
    member_id = Id("mem", allow_none=True)
    company_id = Id("com", allow_none=True)
    location_ids = fields.List(Id("loc"), allow_none=True)
    is_billing_person = fields.Boolean()
    is_contact_person = fields.Boolean()


class SignInSchema(StrictSchema):
    """A device that was signed in."""

    created_at = Instant()
    address = fields.String(allow_none=True)
    revoked_at = Instant(allow_none=True)


class ExportedChangeSchema(StrictSchema):
    """One change of a member's data; who made it from where is that person's data."""

    at = Instant()
    action = fields.String()
    changes = fields.Dict(keys=fields.String(), values=fields.Raw(allow_none=True))


class MemberExportSchema(StrictSchema):
    """Everything that this service knows about a member."""

    member = fields.Nested(MemberSchema)
    company_name = fields.String(allow_none=True)
    sign_ins = fields.List(fields.Nested(SignInSchema))
    changes = fields.List(fields.Nested(ExportedChangeSchema))
    exported_at = Instant()

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """The export is a plain mapping."""
        return obj.get(attr, default)


class ImportFaultSchema(StrictSchema):
    """What is wrong with a row; ``row`` is its line in the file, the header being 1."""

    row = fields.Integer()
    pointer = fields.String(metadata={"example": "/email"})
    detail = fields.String()


class ImportReportSchema(StrictSchema):
    """What became of a file's rows: good ones are in, faulty ones are listed (the first 1,000)."""

    dry_run = fields.Boolean()
    rows = fields.Integer()
    imported = fields.Integer()
    failed = fields.Integer()
    errors = fields.List(fields.Nested(ImportFaultSchema))


class ImportQuery(StrictSchema):
    """How to import."""

    dry_run = fields.Boolean(load_default=False)


class NewPasswordSchema(StrictSchema):
    """A password that staff give to a member of a rehearsal."""

    password = Password(required=True)


class SetupProblemSchema(StrictSchema):
    """A leak, and where it is mended."""

    code = fields.String(metadata={"example": "member_without_email"})
    detail = fields.String()
    about = fields.String(allow_none=True, metadata={"description": "Whom or what it is about, or how many"})
    href = fields.String()


class SetupMembersSchema(StrictSchema):
    """The members' side of the Getting paid checklist."""

    facts = fields.Dict(keys=fields.String(), values=fields.Integer())
    problems = fields.List(fields.Nested(SetupProblemSchema))
