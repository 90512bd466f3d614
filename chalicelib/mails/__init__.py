"""How mails read: a wording a kind and language, filled in and made into a message. Pure: nothing is sent here."""
