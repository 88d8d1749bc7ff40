"""All addresses."""

from django.contrib import admin
from django.urls import include, path
from django.views.decorators.http import require_POST
from django.views.generic import RedirectView
from django.views.i18n import set_language

from conversations.admin import hidden
from conversations.views import (
    attachments,
    branches,
    chat,
    conversations,
    editing,
    factors,
    health,
    installing,
    joining,
    keys,
    library,
    messages,
    metrics,
    people,
    ratings,
    sessions,
    setup,
    stream,
    waiting,
)

hidden.close()

handler500 = "conversations.views.health.failed"

urlpatterns = [
    path("", chat.home, name="home"),
    path("c/", conversations.index, name="index"),
    path("c/recent/", conversations.recent, name="recent"),
    path("c/<uuid:conversation_uuid>/", chat.conversation, name="conversation"),
    path("c/<uuid:conversation_uuid>/stop/", messages.stop, name="stop"),
    path("c/<uuid:conversation_uuid>/settings/", conversations.configure, name="configure"),
    path("c/<uuid:conversation_uuid>/arrange/", conversations.arrange, name="arrange"),
    path("c/<uuid:conversation_uuid>/delete/", conversations.delete, name="delete"),
    path("c/<uuid:conversation_uuid>/restore/", conversations.restore, name="restore"),
    path("messages/<uuid:message_uuid>/waiting/", waiting.look, name="waiting"),
    path("messages/<uuid:message_uuid>/send/", waiting.send_now, name="send-now"),
    path("messages/<uuid:message_uuid>/withdraw/", waiting.withdraw, name="withdraw"),
    path("replies/<uuid:reply_uuid>/events/", stream.events, name="events"),
    path("replies/<uuid:reply_uuid>/continue/", messages.go_on, name="continue"),
    path("replies/<uuid:reply_uuid>/rate/", ratings.rate, name="rate"),
    path("replies/<uuid:reply_uuid>/pick/", messages.pick, name="pick"),
    path("messages/<uuid:message_uuid>/source/", messages.source, name="source"),
    path("messages/<uuid:message_uuid>/tables/<int:place>/<int:number>/", messages.table, name="table"),
    path("replies/<uuid:reply_uuid>/retry/", branches.retry, name="retry"),
    path("messages/<uuid:message_uuid>/edit/", editing.edit, name="edit"),
    path("messages/<uuid:message_uuid>/show/", branches.show, name="show"),
    path("messages/<uuid:message_uuid>/fork/", branches.fork, name="fork"),
    path("attachments/<uuid:attachment_uuid>/original/", attachments.picture, {"size": "original"}, name="original"),
    path("attachments/<uuid:attachment_uuid>/thumbnail/", attachments.picture, {"size": "thumbnail"}, name="thumbnail"),
    path("attachments/<uuid:attachment_uuid>/describe/", attachments.describe, name="describe"),
    path("prompts/", library.index, {"shelf": library.PROMPTS}, name="prompts"),
    path("prompts/list/", library.options, name="prompt_options"),
    path("prompts/new/", library.new, {"shelf": library.PROMPTS}, name="new_prompt"),
    path("prompts/<uuid:item_uuid>/", library.item, {"shelf": library.PROMPTS}, name="prompt"),
    path("prompts/<uuid:item_uuid>/use/", library.use, name="use_prompt"),
    path("prompts/<uuid:item_uuid>/copy/", library.copy, {"shelf": library.PROMPTS}, name="copy_prompt"),
    path("prompts/<uuid:item_uuid>/delete/", library.delete, {"shelf": library.PROMPTS}, name="delete_prompt"),
    path("presets/", library.index, {"shelf": library.PRESETS}, name="presets"),
    path("presets/new/", library.new, {"shelf": library.PRESETS}, name="new_preset"),
    path("presets/<uuid:item_uuid>/", library.item, {"shelf": library.PRESETS}, name="preset"),
    path("presets/<uuid:item_uuid>/copy/", library.copy, {"shelf": library.PRESETS}, name="copy_preset"),
    path("presets/<uuid:item_uuid>/delete/", library.delete, {"shelf": library.PRESETS}, name="delete_preset"),
    path("shortcuts/", people.shortcuts, name="shortcuts"),
    path("settings/", people.settings, name="settings"),
    path("terms/", people.terms, name="terms"),
    path("settings/keys/", keys.index, name="keys"),
    path("settings/keys/<uuid:connection_uuid>/", keys.change, name="key"),
    path("settings/looks/", people.looks, name="looks"),
    path("language/", require_POST(set_language), name="set_language"),
    path("setup/<str:token>/", setup.first_administrator, name="setup"),
    path("invitations/<str:token>/", joining.invited, name="invitation"),
    path("accounts/waiting/", joining.waiting, name="account_waiting"),
    path("second-factor/", factors.needed, name="factor_needed"),
    path("accounts/2fa/totp/picture.svg", factors.picture, name="factor_picture"),
    path("accounts/sessions/", sessions.listed, name="usersessions_list"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("manifest.webmanifest", installing.manifest, name="manifest"),
    path("healthz", health.alive, name="alive"),
    path("readyz", health.ready, name="ready"),
    path("metrics", metrics.page, name="metrics"),
    path("favicon.ico", RedirectView.as_view(url="/static/icons/favicon.ico"), name="favicon"),
]
