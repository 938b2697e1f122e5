"""Reads or writes an object by Google's Python client, with the credentials that the client finds by
itself: in a pod, those of the metadata server.
"""

import sys

from google.api_core.exceptions import GoogleAPIError
from google.auth.exceptions import GoogleAuthError
from google.cloud import storage


def main(verb, bucket, name, text):
    blob = storage.Client().bucket(bucket).blob(name)
    if verb == "write":
        blob.upload_from_string(text)
    else:
        print(blob.download_as_text(), end="")


try:
    main(*sys.argv[1:])
except (GoogleAPIError, GoogleAuthError) as error:
    print("refused:", error)
    sys.exit(1)
