package phone;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

import android.media.AudioManager;
import android.os.Build;
import org.kivy.android.PythonActivity;

/** What the phone is like that the classes of android pretend to run on. */
public final class Phone {
    public static int sdk;
    public static boolean hasMicrophone = true;

    /** Held by another app: no AudioRecord gets it. */
    public static boolean busy;
    /** So many startRecording() are without effect. */
    public static int refusedStarts;
    public static int minBufferSize = 1280;
    /** At most so many bytes come of one read. */
    public static int longestRead = Integer.MAX_VALUE;
    public static boolean silenced;
    public static String unprocessed = "true";
    public static String route = "Phone";
    public static boolean grantsFocus = true;
    public static int mode = 0;

    public static boolean granted = true;
    public static boolean rationale;

    public static final Object LOCK = new Object();
    static Set<Integer> rates = new HashSet<>();
    static Set<Integer> sources = new HashSet<>();
    static byte[] sound = {};
    static int position;
    static int heard;
    static int reads;
    static final Map<Integer, Integer> failures = new HashMap<>();
    static final List<String> log = new ArrayList<>();
    static int unreleased;
    static int made;
    static AudioManager.OnAudioFocusChangeListener focusListener;
    static final Map<String, Boolean> preferences = new HashMap<>();
    static final ArrayDeque<Object[]> questions = new ArrayDeque<>();

    private Phone() {}

    public static void reset() {
        synchronized (LOCK) {
            setSdk(34);
            hasMicrophone = true;
            busy = silenced = rationale = false;
            refusedStarts = 0;
            minBufferSize = 1280;
            longestRead = Integer.MAX_VALUE;
            unprocessed = "true";
            route = "Phone";
            grantsFocus = granted = true;
            mode = 0;
            rates = new HashSet<>(Arrays.asList(16000, 44100, 48000));
            sources = new HashSet<>(Arrays.asList(1, 6, 9));
            sound = new byte[0];
            position = heard = reads = unreleased = made = 0;
            failures.clear();
            log.clear();
            focusListener = null;
            preferences.clear();
            questions.clear();
        }
    }

    /** What newer phones alone have is missed by a program on an older one. */
    public static void since(int version) {
        if (sdk < version) throw new NoSuchMethodError("since " + version + ", here is " + sdk);
    }

    public static void setSdk(int version) {
        sdk = Build.VERSION.SDK_INT = version;
    }

    /** PCM of 16 bits and one channel, of which the microphone hears the first so many bytes. */
    public static void play(byte[] pcm, int bytes) {
        synchronized (LOCK) {
            sound = pcm;
            heard = bytes;
            position = 0;
            LOCK.notifyAll();
        }
    }

    /** The microphone hears so many bytes more. */
    public static void hear(int bytes) {
        synchronized (LOCK) {
            heard = Math.min(sound.length, heard + bytes);
            LOCK.notifyAll();
        }
    }

    /** So many bytes pass while nobody listens. */
    public static void passBy(int bytes) {
        synchronized (LOCK) {
            heard += bytes;
            position = heard;
        }
    }

    public static void allowRates(int[] allowed) {
        rates = new HashSet<>();
        for (int rate : allowed) rates.add(rate);
    }

    public static void allowSources(int[] allowed) {
        sources = new HashSet<>();
        for (int source : allowed) sources.add(source);
    }

    /** The read of this number, from 1, gives this code instead of sound. */
    public static void failAt(int read, int code) {
        failures.put(read, code);
    }

    public static boolean hasRate(int rate) {
        return rates.contains(rate);
    }

    public static boolean hasSource(int source) {
        return sources.contains(source);
    }

    public static void wrote(String line) {
        synchronized (LOCK) {
            log.add(line);
        }
    }

    public static String log() {
        synchronized (LOCK) {
            return String.join("\n", log);
        }
    }

    public static void born() {
        synchronized (LOCK) {
            made++;
            unreleased++;
        }
    }

    public static void died() {
        synchronized (LOCK) {
            unreleased--;
        }
    }

    public static int unreleased() {
        return unreleased;
    }

    public static int made() {
        return made;
    }

    /** The code of a failing read, 0 for sound. To be called under LOCK. */
    public static int nextRead() {
        reads++;
        Integer code = failures.remove(reads);
        return code == null ? 0 : code;
    }

    /** How many bytes can be read at once. To be called under LOCK. */
    public static int available() {
        return heard - position;
    }

    /** The next bytes. To be called under LOCK. */
    public static byte[] take(int count) {
        byte[] taken = Arrays.copyOfRange(sound, position, position + count);
        position += count;
        return taken;
    }

    public static void setFocusListener(AudioManager.OnAudioFocusChangeListener listener) {
        focusListener = listener;
    }

    /** Tells who has the focus of its change, in Android's main thread; whether anybody has it. */
    public static boolean changeFocus(int change) throws InterruptedException {
        AudioManager.OnAudioFocusChangeListener listener = focusListener;
        if (listener == null) return false;
        Thread main = new Thread(() -> listener.onAudioFocusChange(change), "main looper");
        main.start();
        main.join();
        return true;
    }

    public static void ask(int code, String[] permissions) {
        questions.add(new Object[] {code, permissions});
    }

    public static int questions() {
        return questions.size();
    }

    /** Answers the oldest question: granted, or denied; an interrupted one has empty results. */
    public static void answer(boolean grant, boolean interrupted) throws InterruptedException {
        Object[] question = questions.remove();
        granted = grant;
        String[] permissions = interrupted ? new String[0] : (String[]) question[1];
        int[] results = new int[permissions.length];
        Arrays.fill(results, grant ? 0 : -1);
        Thread main =
                new Thread(
                        () ->
                                PythonActivity.mActivity.onRequestPermissionsResult(
                                        (Integer) question[0], permissions, results),
                        "main looper");
        main.start();
        main.join();
    }

    public static boolean preference(String name, boolean otherwise) {
        return preferences.getOrDefault(name, otherwise);
    }

    public static void setPreference(String name, boolean value) {
        preferences.put(name, value);
    }

    /** Threads that Java knows, those of Python among them. */
    public static int threads() {
        int count = 0;
        for (Thread thread : Thread.getAllStackTraces().keySet())
            if (thread.isAlive() && thread.getName().startsWith("Thread-")) count++;
        return count;
    }

    /** Bytes of Java's heap in use. */
    public static long heap() {
        Runtime runtime = Runtime.getRuntime();
        for (int i = 0; i < 3; i++) System.gc();
        return runtime.totalMemory() - runtime.freeMemory();
    }
}
