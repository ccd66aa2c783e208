from django.db import migrations


def admit_partners(apps, schema_editor):
    """Until now only a machine's enrolment put an organisation in force; a partner has people and no machine."""
    organisations = apps.get_model("hashshare", "Organisation").objects
    with_people = apps.get_model("hashshare", "Person").objects.filter(organisation__kind="partner")
    ids = set(with_people.values_list("organisation", flat=True))
    organisations.filter(pk__in=ids, kind="partner", state="invited").update(state="active")


class Migration(migrations.Migration):
    dependencies = [("hashshare", "0015_newest_rows")]

    operations = [
        # Back again it stays as it is: the older release reads an active partner, too.
        migrations.RunPython(admit_partners, migrations.RunPython.noop),
    ]
