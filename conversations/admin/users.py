"""People."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from conversations.models import User


@admin.register(User)
class PersonAdmin(UserAdmin):
    list_display = ("username", "email", "is_active", "is_staff", "last_login", "date_joined")
    ordering = ("username",)
