from django.db import migrations, models

# Every process hears of it, whoever revokes, and however: over the API, in the admin, in a shell or by SQL.
TELL = """
CREATE FUNCTION tell_of_access() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('colloquy', 'access ' || (to_jsonb(OLD) ->> TG_ARGV[0]));
    RETURN NULL;
END $$;
CREATE TRIGGER token_is_revoked AFTER DELETE OR UPDATE OF expiry ON knox_authtoken
    FOR EACH ROW EXECUTE FUNCTION tell_of_access('user_id');
CREATE TRIGGER user_is_gone AFTER DELETE ON conversations_user
    FOR EACH ROW EXECUTE FUNCTION tell_of_access('id');
CREATE TRIGGER user_is_deactivated AFTER UPDATE OF is_active ON conversations_user
    FOR EACH ROW WHEN (OLD.is_active AND NOT NEW.is_active) EXECUTE FUNCTION tell_of_access('id');

CREATE FUNCTION tell_of_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY colloquy, 'access';
    RETURN NULL;
END $$;
CREATE TRIGGER session_is_ended AFTER DELETE ON django_session
    FOR EACH STATEMENT EXECUTE FUNCTION tell_of_session();
"""
UNTELL = """
DROP TRIGGER session_is_ended ON django_session;
DROP TRIGGER user_is_deactivated ON conversations_user;
DROP TRIGGER user_is_gone ON conversations_user;
DROP TRIGGER token_is_revoked ON knox_authtoken;
DROP FUNCTION tell_of_session();
DROP FUNCTION tell_of_access();
"""

# `colloquy.same_password` is set where only the hash is another one (User.check_password).
REVOKE = """
CREATE FUNCTION revoke_access() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('colloquy.same_password', true) IS DISTINCT FROM 'on' THEN
        DELETE FROM knox_authtoken WHERE user_id = NEW.id;
        DELETE FROM conversations_ticket WHERE user_id = NEW.id;
    END IF;
    PERFORM pg_notify('colloquy', 'access ' || NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER password_is_changed AFTER UPDATE OF password ON conversations_user
    FOR EACH ROW WHEN (OLD.password <> NEW.password) EXECUTE FUNCTION revoke_access();
"""
UNREVOKE = """
DROP TRIGGER password_is_changed ON conversations_user;
DROP FUNCTION revoke_access();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('conversations', '0017_review'),
        ('knox', '0009_extend_authtoken_field'),
        ('sessions', '0001_initial'),
    ]

    operations = [
        migrations.AddField('ticket', 'token', models.CharField(
            blank=True, default='', help_text='The digest of the token it came from.', max_length=128)),
        migrations.AddField('ticket', 'session', models.CharField(
            blank=True, default='', help_text='The key of the session it came from.', max_length=40)),
        migrations.RunSQL(TELL, UNTELL),
        migrations.RunSQL(REVOKE, UNREVOKE),
    ]
