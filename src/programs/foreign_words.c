/* foreign_words - see foreign_words.h. */
#include "programs/foreign_words.h"

#include <string.h>

#include "programs/destination.h"
#include "programs/option_values.h"
#include "programs/option_words.h"
#include "programs/query_keys.h"

#define SERVERS    (PROGRAM_RECEIVER | PROGRAM_ARCHIVE)
#define ASKING     (PROGRAM_FINDER | PROGRAM_MOVER)
#define REQUESTORS (PROGRAM_SENDER | PROGRAM_ECHO | ASKING)
#define EVERYBODY  (SERVERS | REQUESTORS)

/* clang-format off */
static const struct foreign_word words[] = {

    /* ---- security: refused, as nothing may go in clear that was meant to be encrypted ---- */
    {EVERYBODY,
     "--disable-tls",
     FOREIGN_IGNORED, NULL, 0},
    {EVERYBODY,
     "+tls -tls --enable-tls +tla --anonymous-tls --tls --tls-3des --tls-aes --tls-cipher --tls-eia-https "
     "--tls-eia-ldaps --tls-noauth --tls-null --tls-protocol --tls1 --tls11 --tls12 --tls13 --ssl --ssl2Hello --ssl3 "
     "--key-pass --key-store --key-store-pass --key-store-type --trust-store --trust-store-pass --trust-store-type "
     "+ps --std-passwd +pw --use-passwd -pw --null-passwd -pem --pem-keys -der --der-keys +cf --add-cert-file +cd "
     "--add-cert-dir +crl --add-crl-file +crv --enable-crl-vfy +cra --enable-crl-all +py --profile-bcp195-nd +px "
     "--profile-bcp195 +pz --profile-bcp195-ex +pg --profile-8996 +pm --profile-8996m +pb --profile-basic +pa "
     "--profile-aes +pn --profile-null +cc --list-ciphers --list-profiles +cs --cipher +dp --dhparam +rs --seed +ws "
     "--write-seed +wf --write-seed-file -rc --require-peer-cert -vc --verify-peer-cert -ic --ignore-peer-cert +vc "
     "--verify-cert +rc --is-root-cert --cert --cert-file --key-file --cacert",
     FOREIGN_REFUSED, "TLS is not there yet; nothing was sent, as it would have gone in clear", 0},
    {EVERYBODY,
     "-usr --user -pwd --password -epw --empty-password -kt --kerberos --saml --jwt -rsp --pos-response --user-pass "
     "--user-rsp --username --kerberos-service-ticket --saml-assertion",
     FOREIGN_REFUSED, "user identity negotiation is not there", 0},

    {PROGRAM_ARCHIVE,
     "+Cr --use-request-charset -Cr --override-charset +A7 --convert-to-ascii +U8 --convert-to-utf8 +L1 "
     "--convert-to-latin1 +C --convert-to-charset -Ct --transliterate -Cd --discard-illegal",
     FOREIGN_REFUSED, "values are answered in the character set in which they are stored", 0},

    /* ---- of all ---- */
    {EVERYBODY,
     "--arguments -cx --single-context --required-contexts -R --required +C --combine +u --enable-new-vr -up "
     "--uid-padding -dhl --disable-host-lookup --not-async --not-pack-pdv --tcp-delay",
     FOREIGN_IGNORED, NULL, 0},
    {EVERYBODY,
     "--soclose-delay --sosnd-buffer --sorcv-buffer --max-ops-performed",
     FOREIGN_IGNORED, NULL, 1},
    {EVERYBODY,
     "+v --verbose-pc",
     FOREIGN_MEANS, "debug", 0},
    {EVERYBODY,
     "-ts --socket-timeout",
     FOREIGN_MEANS, "network-timeout", 0},
    {EVERYBODY,
     "--max-pdu-length --max-pdulen-rcv",
     FOREIGN_MEANS, "max-pdu", 0},
    {EVERYBODY,
     "-lc --log-config",
     FOREIGN_REFUSED, "no file configures the log; see --log-level", 0},
    {EVERYBODY,
     "-xf --config-file --assoc-config-file",
     FOREIGN_REFUSED, "association profiles are not there", 0},
    {EVERYBODY,
     "--max-send-pdu --max-pdulen-snd",
     FOREIGN_REFUSED, "the peer says how long a PDU to it may be, and that is kept to", 0},
    {PROGRAM_RECEIVER,
     "--abort-during",
     FOREIGN_REFUSED, "--abort-after N answers N stores of an association and aborts it at the next", 0},
    {EVERYBODY,
     "--abort --abort-during",
     FOREIGN_REFUSED, "associations are not aborted on purpose", 0},
    {EVERYBODY,
     "--accept-timeout --send-timeout --store-timeout --response-timeout --release-timeout --retrieve-timeout "
     "--retrieve-timeout-total --cstore-timeout --request-timeout",
     FOREIGN_REFUSED,
     "timeouts are in seconds here: --acse-timeout for the association, --dimse-timeout for a response, or --timeout "
     "for all", 0},
    {REQUESTORS,
     "--idle-timeout",
     FOREIGN_REFUSED, "timeouts are in seconds here: --network-timeout for a PDU to get through", 0},
    {REQUESTORS,
     "--proxy",
     FOREIGN_REFUSED, "there is no way through a proxy", 0},

    /* ---- of those who ask a peer ---- */
    {REQUESTORS,
     "--calling-ae-title",
     FOREIGN_MEANS, "calling-ae", 0},
    {REQUESTORS,
     "--called-ae-title --called-ae",
     FOREIGN_MEANS, "ae-title", 0},
    {REQUESTORS,
     "--connection-timeout",
     FOREIGN_MEANS, "connect-timeout", 0},
    {PROGRAM_SENDER | PROGRAM_MOVER,
     "--prior-high",
     FOREIGN_MEANS, "priority=high", 0},
    {PROGRAM_SENDER | PROGRAM_MOVER,
     "--prior-low",
     FOREIGN_MEANS, "priority=low", 0},
    {PROGRAM_ECHO | PROGRAM_FINDER,
     "--prior-high --prior-low",
     FOREIGN_IGNORED, NULL, 0},

    /* ---- storescu, dcmsend, dicom-storescu ---- */
    {PROGRAM_SENDER,
     "--recurse",
     FOREIGN_MEANS, "recursive", 0},
    {PROGRAM_SENDER,
     "--scan-directories",
     FOREIGN_MEANS, "scan-folders", 0},
    {PROGRAM_SENDER,
     "+sp --scan-pattern",
     FOREIGN_MEANS, "pattern", 0},
    {PROGRAM_SENDER,
     "-f --read-dataset +f --read-file",
     FOREIGN_MEANS, "accept-raw", 0},
    {PROGRAM_SENDER,
     "--max-ops-invoked",
     FOREIGN_MEANS, "window", 0},
    {PROGRAM_SENDER,
     "+fo --read-file-only -nh --no-halt -rn --no-rename --no-recurse -dn --decompress-never -nip "
     "--no-illegal-proposal +ma --multi-associations -ma --single-association --never-transcode --rel-ext-neg",
     FOREIGN_IGNORED, NULL, 0},
    {PROGRAM_SENDER | PROGRAM_ECHO,
     "-m --message-id",
     FOREIGN_IGNORED, NULL, 1},
    {PROGRAM_SENDER,
     "+crf --create-report-file --rel-sop-classes --tmp-file-dir --tmp-file-prefix --tmp-file-suffix",
     FOREIGN_IGNORED, NULL, 1},
    {PROGRAM_SENDER | PROGRAM_ARCHIVE,
     "-x= -xe -xb -xi -xs -xy -xx -xv -xw -xt -xu -xm -xh -xn -xl -x2 -x3 -xo -x4 -x5 -xr -xd --propose-uncompr "
     "--propose-little --propose-big --propose-implicit --propose-lossless --propose-jpeg8 --propose-jpeg12 "
     "--propose-j2k-lossless --propose-j2k-lossy --propose-jls-lossless --propose-jls-lossy --propose-mpeg2 "
     "--propose-mpeg2-high --propose-mpeg4 --propose-mpeg4-bd --propose-mpeg4-2-2d --propose-mpeg4-2-3d "
     "--propose-mpeg4-2-st --propose-hevc --propose-hevc10 --propose-rle --propose-deflated --request-little "
     "--request-big --request-implicit --explicit-vr --implicit-vr --big-endian --transfer-syntax +dls "
     "--decompress-lossless +dly --decompress-lossy +cl --compression-level",
     FOREIGN_REFUSED,
     "conversion is not there yet: a file goes out in the transfer syntax it lies in; convert it first, or leave "
     "this out", 0},
    {PROGRAM_SENDER,
     "+II --invent-instance +IR --invent-series +IS --invent-study +IP --invent-patient -u --disable-new-vr -s "
     "--uid-suffix",
     FOREIGN_REFUSED, "files are sent as they are, with the UIDs and values that they have", 0},
    {PROGRAM_SENDER,
     "-nuc --no-uid-checks",
     FOREIGN_MEANS, "allow-incomplete", 0},
    {PROGRAM_SENDER,
     "+rn --rename",
     FOREIGN_REFUSED, "files are never renamed; --ledger FILE remembers what was sent", 0},
    {PROGRAM_SENDER,
     "--list-decoders",
     FOREIGN_REFUSED, "nothing is decoded: a file goes out in the transfer syntax it lies in", 0},
    {PROGRAM_SENDER,
     "--fail-first",
     FOREIGN_REFUSED, "a file that fails does not keep the others from being sent", 0},

    /* ---- echoscu ---- */
    {PROGRAM_ECHO,
     "-pts --propose-ts -ppc --propose-pc -xe -xb -xi --request-little --request-big --request-implicit",
     FOREIGN_REFUSED, "one context for Verification is proposed", 0},

    /* ---- findscu, movescu, getscu, move_scu ---- */
    {ASKING,
     "--keyword --query -m",
     FOREIGN_MEANS, "key", 0},
    {ASKING,
     "-f --file",
     FOREIGN_MEANS, "query-file", 0},
    {ASKING,
     "--patient",
     FOREIGN_MEANS, "patient-root", 0},
    {ASKING,
     "--study",
     FOREIGN_MEANS, "study-root", 0},
    {ASKING,
     "-x= --propose-uncompr -xe --propose-little --explicit-vr --relational",
     FOREIGN_IGNORED, NULL, 0},
    {ASKING,
     "-xi --propose-implicit -xb --propose-big -xd --propose-deflated --implicit-vr --big-endian +cl "
     "--compression-level -u --disable-new-vr",
     FOREIGN_REFUSED, "queries go in Explicit VR Little Endian, or Implicit if the peer wants that", 0},
    {ASKING,
     "-W --worklist",
     FOREIGN_REFUSED, "modality worklists are not there; --study-root and --patient-root are", 0},
    {ASKING,
     "-O --psonly",
     FOREIGN_REFUSED, "the patient/study only model is not there; --study-root and --patient-root are", 0},
    {ASKING,
     "--repeat",
     FOREIGN_REFUSED, "it is asked once; start the program as often as wanted", 0},
    {ASKING,
     "-U --ups",
     FOREIGN_REFUSED, "unified procedure steps are not there", 0},
    {ASKING,
     "--fuzzy --datetime --timezone",
     FOREIGN_REFUSED, "extended negotiation of queries is not there", 0},
    {ASKING,
     "-i --in-attr",
     FOREIGN_REFUSED, "-k KEY adds an attribute to those of the query file, which counts as a whole", 0},
    {ASKING,
     "-M",
     FOREIGN_REFUSED, "--study-root (the default) or --patient-root chooses the information model", 0},
    {PROGRAM_FINDER,
     "-r",
     FOREIGN_MEANS, "key", 0},
    {PROGRAM_FINDER,
     "--cancel",
     FOREIGN_MEANS, "limit", 0},
    {PROGRAM_FINDER,
     "-X --extract --extract-xml -Xx -Xs --extract-xml-single -Xlo --limit-output -od --output-directory --out-dir "
     "--out-file --out-cat --xml --xsl -x -I --indent --write -w",
     FOREIGN_REFUSED, "matches go to standard output: --json or --csv, into a file with >FILE", 0},
    {PROGRAM_FINDER,
     "+dc --enable-correction -dc --disable-correction +sr --show-responses -sr --hide-responses",
     FOREIGN_IGNORED, NULL, 0},
    {PROGRAM_MOVER,
     "--move --dest --move-destination",
     FOREIGN_MEANS, "move-dest", 0},
    {PROGRAM_MOVER,
     "-od --output-directory --directory",
     FOREIGN_MEANS, "output-dir", 0},
    {PROGRAM_MOVER,
     "--store-port",
     FOREIGN_MEANS, "receive-port", 0},
    {PROGRAM_MOVER,
     "--store-aet",
     FOREIGN_MEANS, "receive-ae", 0},
    {PROGRAM_MOVER,
     "--store",
     FOREIGN_MEANS, "receive-port=11113", 0},
    {PROGRAM_MOVER,
     "--cancel",
     FOREIGN_REFUSED, "a retrieval goes on to its end; Ctrl-C or SIGTERM cancels it at the peer", 0},
    {PROGRAM_MOVER,
     "--progress --no-port --ignore-pending -pi --pending-ignore -pr --pending-read --no-halt -B --normal +B "
     "--bit-preserving +F --write-file +xa --accept-all -pm "
     "--promiscuous",
     FOREIGN_IGNORED, NULL, 0},
    {PROGRAM_MOVER,
     "--ignore",
     FOREIGN_REFUSED, "what comes is kept, or cannot be accounted for", 0},

    /* ---- storescp, dcmqrscp and other servers ---- */
    {SERVERS,
     "-od --output-directory --directory",
     FOREIGN_MEANS, "output-dir", 0},
    {SERVERS,
     "-ba --bind-address",
     FOREIGN_MEANS, "bind", 0},
    {SERVERS,
     "--calling-ae-title",
     FOREIGN_MEANS, "ae-title", 0},
    {PROGRAM_RECEIVER,
     "--ignore",
     FOREIGN_MEANS, "discard", 0},
    {PROGRAM_RECEIVER,
     "-td --dimse-timeout",
     FOREIGN_MEANS, "network-timeout", 0},
    {SERVERS | PROGRAM_MOVER,
     "--fork --single-process --non-blocking --strict --accept-unknown --no-subdir +fd -uca --use-called-aetitle "
     "--no-patient-study -QO --check-find -XF --check-move -XM -s -ac --access-full +xa --accept-all --all-storage "
     "-pm --promiscuous -B --normal +B "
     "--bit-preserving +F --write-file -uf --default-filenames +t= --write-xfer-same -uc --retain-un +g= "
     "--group-length-recalc +e --length-explicit --padding-off --no-check-find --no-check-move --move-unrestricted",
     FOREIGN_IGNORED, NULL, 0},
    {SERVERS | PROGRAM_MOVER,
     "-F --write-dataset +te --write-xfer-little +tb --write-xfer-big +ti --write-xfer-implicit +td "
     "--write-xfer-deflated -u --disable-new-vr +g --group-length-create -g --group-length-remove -e "
     "--length-undefined +p --padding-create +uc --convert-un +cl --compression-level",
     FOREIGN_REFUSED, "data sets are kept byte for byte, in files with a meta header", 0},
    {SERVERS | PROGRAM_MOVER,
     "+x= +xe +xb +xs +xy +xx +xv +xw +xt +xu +xm +xh +xn +xl +x2 +x3 +xo +x4 +x5 +xr +xd +xi --implicit "
     "--prefer-uncompr --prefer-little --prefer-big --prefer-lossless --prefer-jpeg8 --prefer-jpeg12 "
     "--prefer-j2k-lossless --prefer-j2k-lossy --prefer-jls-lossless --prefer-jls-lossy --prefer-mpeg2 "
     "--prefer-mpeg2-high --prefer-mpeg4 --prefer-mpeg4-bd --prefer-hevc --prefer-hevc10 --prefer-rle "
     "--prefer-deflated --prefer-mpeg4-2-2d --prefer-mpeg4-2-3d --prefer-mpeg4-2-st --uncompressed-only --store-tc "
     "--store-tcs",
     FOREIGN_REFUSED, "every transfer syntax is taken, and none can be preferred", 0},
    {PROGRAM_RECEIVER,
     "-x= -xe -xb -xi",
     FOREIGN_REFUSED, "every transfer syntax is taken, and none can be preferred", 0},
    {SERVERS,
     "--sop-classes --storage-sop-classes --query-sop-classes --retrieve-sop-classes",
     FOREIGN_REFUSED, "every class of storage is taken", 0},
    {SERVERS | PROGRAM_MOVER,
     "-ss --sort-conc-studies -su --sort-on-study-uid -sp --sort-on-patientname +uf --unique-filenames --timenames "
     "+ssd --series-date-subdir +fu +fsu --short-unique-names +fst --system-time-names -fe "
     "--filename-extension --filepath",
     FOREIGN_REFUSED, "instances are kept in one folder, as <SOP Instance UID>.dcm", 0},
    {SERVERS | PROGRAM_MOVER,
     "-xcr --exec-on-reception -xcs --exec-on-eostudy -rns --rename-on-eostudy -tos --eostudy-timeout -xs "
     "--exec-sync",
     FOREIGN_REFUSED, "no command is run for what comes", 0},
    {PROGRAM_RECEIVER,
     "--refuse --reject",
     FOREIGN_REFUSED, "--reject-transient N rejects the first N associations", 0},
    {PROGRAM_RECEIVER,
     "--sleep-after --sleep-during --receive-delay",
     FOREIGN_REFUSED, "--response-delay MS waits before each response", 0},
    {SERVERS | PROGRAM_MOVER,
     "-id --inetd +ac --access-control",
     FOREIGN_REFUSED, "that is not there; --bind and --ae-title say who can connect", 0},
    {PROGRAM_ARCHIVE,
     "--ae -ae",
     FOREIGN_MEANS, "ae-title", 0},
    {PROGRAM_ARCHIVE,
     "-port",
     FOREIGN_MEANS, "port", 0},
    {PROGRAM_ARCHIVE,
     "-synthetic",
     FOREIGN_MEANS, "synthetic", 0},
    {PROGRAM_ARCHIVE,
     "--ignore",
     FOREIGN_REFUSED, "an archive keeps what it takes", 0},
    {PROGRAM_ARCHIVE,
     "--require-find --no-parallel-store --disable-get --allow-shutdown --refuse --reject",
     FOREIGN_REFUSED, "that is not there; --max-associations says how many are served at a time", 0},
    {PROGRAM_ARCHIVE,
     "-QP --no-patient-root -QS --no-study-root",
     FOREIGN_REFUSED, "both information models are served", 0},
    {PROGRAM_ARCHIVE,
     "-c --config --ae-config --dicomdir --fs-desc --fs-desc-cs --fs-id --fs-uid --record-config "
     "--database-location --instance-location --clean",
     FOREIGN_REFUSED,
     "no file configures the archive: --output-dir or --import says what it has, --ae-title how it is called, --peer "
     "AE=HOST:PORT where a C-MOVE may send to", 0},
    {PROGRAM_ARCHIVE,
     "-ZA --move-aetitle -ZH --move-host -ZV --move-vendor",
     FOREIGN_REFUSED, "a C-MOVE goes to what --peer names", 0},
};
/* clang-format on */

const struct foreign_word *foreign_word_find(enum program program, const char *spelling, size_t len)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if ((words[i].programs & program) != 0 && option_list_has(words[i].spellings, spelling, len))
            return &words[i];
    return NULL;
}

const char *foreign_word_other_meaning(enum program program, const char *spelling, const char *next)
{
    if (strcmp(spelling, "-c") == 0 && (program & REQUESTORS) != 0 && next != NULL) {
        if (strchr(next, '@') != NULL || destination_shape(next) == DESTINATION_HOST_PORT)
            return "--connect";
        return program == PROGRAM_SENDER && option_value_is_number(next) && strlen(next) <= 3 ? "--threads" : spelling;
    }
    if (strcmp(spelling, "-q") == 0 && (program & ASKING) != 0 && next != NULL)
        return query_keys_is_match(next) ? "--key" : spelling;
    if (strcmp(spelling, "-p") == 0 && program == PROGRAM_MOVER)
        return next == NULL || !option_value_is_number(next) ? "--progress" : spelling;
    return spelling;
}
