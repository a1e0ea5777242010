"""Several vendors of one name, told apart by their codes; and commitments whose vendor is not known yet."""


def up(migrator, db):
    migrator.migrate(
        migrator.drop_index("vendor", "vendor_company_id_name"),
        migrator.add_index("vendor", ("company_id", "name"), False),
        migrator.drop_not_null("commitment", "vendor_id"),
    )


def down(migrator, db):
    migrator.migrate(
        migrator.add_not_null("commitment", "vendor_id"),
        migrator.drop_index("vendor", "vendor_company_id_name"),
        migrator.add_index("vendor", ("company_id", "name"), True),
    )
