/* mailbox - see mailbox.h. */
#include "engine/mailbox.h"

static void drain(struct mailbox *mailbox)
{
    struct list taken;
    list_init(&taken);
    uv_mutex_lock(&mailbox->mutex);
    list_splice(&taken, &mailbox->list);
    uv_mutex_unlock(&mailbox->mutex);

    struct list_node *node;
    while ((node = list_pop(&taken)) != NULL)
        mailbox->deliver(mailbox->user, list_entry(node, struct mail, node));
}

static void on_wake(uv_async_t *async)
{
    drain(async->data);
}

int mailbox_open(struct mailbox *mailbox, uv_loop_t *loop, void (*deliver)(void *user, struct mail *mail), void *user)
{
    list_init(&mailbox->list);
    mailbox->deliver = deliver;
    mailbox->user = user;
    mailbox->async.data = mailbox;
    int error = uv_mutex_init(&mailbox->mutex);
    if (error != 0)
        return error;
    error = uv_async_init(loop, &mailbox->async, on_wake);
    if (error != 0)
        uv_mutex_destroy(&mailbox->mutex);
    return error;
}

void mailbox_post_all(struct mailbox *mailbox, struct list *mails)
{
    if (list_is_empty(mails))
        return;
    uv_mutex_lock(&mailbox->mutex);
    bool was_empty = list_is_empty(&mailbox->list);
    list_splice(&mailbox->list, mails);
    uv_mutex_unlock(&mailbox->mutex);
    if (was_empty)
        (void)uv_async_send(&mailbox->async);
}

void mailbox_post(struct mailbox *mailbox, struct mail *mail)
{
    struct list one;
    list_init(&one);
    list_append(&one, &mail->node);
    mailbox_post_all(mailbox, &one);
}

static void on_closed(uv_handle_t *handle)
{
    struct mailbox *mailbox = handle->data;
    uv_mutex_destroy(&mailbox->mutex);
    if (mailbox->closed != NULL)
        mailbox->closed(mailbox->user);
}

void mailbox_close(struct mailbox *mailbox, void (*closed)(void *user))
{
    drain(mailbox);
    mailbox->closed = closed;
    uv_close((uv_handle_t *)&mailbox->async, on_closed);
}
