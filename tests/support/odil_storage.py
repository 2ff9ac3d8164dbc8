#!/usr/bin/python3
"""A storage provider on odil (Debian: python3-odil): odil_storage.py PORT. One association after another; what it has
stored, and how associations end, is printed.

Its responses name no SOP Instance UID, and come on the last context that was accepted for the class, whichever the
request came on.
"""
import sys

import odil

SUCCESS, C_ECHO_RQ = 0x0000, 0x0030


def store(request):
    print('stored', request.get_affected_sop_instance_uid(), flush=True)
    return SUCCESS


def serve(association):
    echo, storage = odil.EchoSCP(association), odil.StoreSCP(association)
    echo.set_callback(lambda request: SUCCESS)
    storage.set_callback(store)
    while True:
        try:
            message = association.receive_message()
            (echo if message.get_command_field() == C_ECHO_RQ else storage)(message)
        except odil.AssociationReleased:
            print('released', flush=True)
            return
        except Exception as problem:  # aborted, or the connection is gone
            print('ended:', type(problem).__name__, flush=True)
            return


while True:
    association = odil.Association()
    association.set_tcp_timeout(20.0)
    try:
        association.receive_association('v4', int(sys.argv[1]))
    except Exception as problem:  # somebody who only looked whether it listens
        print('no association:', type(problem).__name__, flush=True)
        continue
    serve(association)
