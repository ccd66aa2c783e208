from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('hashshare', '0013_figures'),
    ]

    operations = [
        migrations.CreateModel(
            name='Demonstration',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ('made_at', models.DateTimeField()),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='demonstration_at_most_one')],
            },
        ),
    ]
